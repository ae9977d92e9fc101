"""How runs stand, read from the store for the messages that show them."""

from collections.abc import Collection, Mapping

from hub.slack.showing import Standing
from hub.store import Connection
from hub.store.approvals import find_approvals
from hub.store.slack import find_calls


async def find_standings(connection: Connection, run_ids: Collection[str]) -> Mapping[str, Standing]:
    """{run: how it stands}, in two statements. The task that an open question is shows as the question alone."""
    calls = await find_calls(connection, run_ids)
    questions = await find_approvals(connection, run_ids=run_ids)
    return {
        run_id: Standing(
            calls=[
                each
                for each in calls[run_id]
                if not any((each.run_id, each.title) == (asked.run_id, asked.question) for asked in questions)
            ],
            questions=[each for each in questions if each.run_id == run_id],
        )
        for run_id in run_ids
    }

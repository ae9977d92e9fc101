"""How runs stand, read from the store for the messages that show them."""

from collections.abc import Collection, Mapping

from hub.slack.showing import Standing
from hub.store import Connection
from hub.store.alerts import find_alerts
from hub.store.approvals import find_approvals


async def find_standings(connection: Connection, run_ids: Collection[str]) -> Mapping[str, Standing]:
    """{run: how it stands}, in two statements. The task that an open question is shows as the question alone."""
    calls = await find_alerts(connection, run_ids=run_ids)
    questions = await find_approvals(connection, run_ids=run_ids)
    return {
        run_id: Standing(
            calls=[
                each
                for each in calls
                if each.run_id == run_id and not any(each.title == asked.question for asked in questions)
            ],
            questions=[each for each in questions if each.run_id == run_id],
        )
        for run_id in run_ids
    }

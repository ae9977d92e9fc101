"""How runs stand, read from the store for the messages that show them."""

from collections.abc import Collection, Mapping, Sequence

from hub.model.actions import Alert, Approval
from hub.slack.showing import Standing
from hub.store import Connection
from hub.store.approvals import find_approvals
from hub.store.slack import find_calls


async def find_standings(connection: Connection, run_ids: Collection[str]) -> Mapping[str, Standing]:
    """{run: how it stands}, in two statements. The task that an open question is shows as the question alone."""
    calls = await find_calls(connection, run_ids)
    questions: dict[str, list[Approval]] = {run_id: [] for run_id in run_ids}
    for each in await find_approvals(connection, run_ids=run_ids):
        questions[each.run_id].append(each)
    return {run_id: _standing(run_id, calls[run_id], questions[run_id]) for run_id in run_ids}


def _standing(run_id: str, calls: Sequence[Alert], questions: Sequence[Approval]) -> Standing:
    asked = {each.question for each in questions}
    return Standing(
        calls=[each for each in calls if each.run_id != run_id or each.title not in asked], questions=questions
    )

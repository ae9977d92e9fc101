"""Writing organization fields: 100 a request, done by Zendesk in its own time, and each row answered for by its job.

The fields must be there (Admin Center, People, Configuration, Organization fields); their names here are the field keys.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from connectors.kit.errors import ContractError
from connectors.kit.http import Client
from connectors.kit.jobs import JobFailedError, Polling, run
from connectors.kit.writing import Outcome, Wish

AT_ONCE = 100
POLLING = Polling(first=1.0, longest=15.0, deadline=600.0)


async def write(client: Client, wishes: Sequence[Wish], *, settings: Any) -> AsyncIterator[Sequence[Outcome]]:
    for first in range(0, len(wishes), AT_ONCE):
        some = wishes[first : first + AT_ONCE]
        told = await _update(client, some)
        yield [Outcome(key=each.key, error=told.get(each.key, "Zendesk's job does not tell of it")) for each in some]


async def _update(client: Client, wishes: Sequence[Wish]) -> dict[str, str | None]:
    """{id: why it was refused, or None}. The job knows rows by their place in the request."""
    rows = [{"id": int(each.key), "organization_fields": dict(each.values)} for each in wishes]

    async def submit() -> str:
        answer = await client.post_json("/api/v2/organizations/update_many", json={"organizations": rows}, method="PUT")
        return str(_job(answer)["id"])

    async def look(job: str) -> list[Mapping[str, Any]] | None:
        status = _job(await client.get_json(f"/api/v2/job_statuses/{job}"))
        if status["status"] in ("failed", "killed"):
            raise JobFailedError(f"Zendesk's job ended as {status['status']}: {status.get('message')}")
        return list(status.get("results") or ()) if status["status"] == "completed" else None

    results = await run(submit, look, what="Zendesk's update of organizations", polling=POLLING)
    return {
        str(result.get("id") or wishes[result["index"]].key): None
        if result.get("status") == "Updated"
        else str(result.get("details") or result.get("error") or "refused")
        for result in results
    }


def _job(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    job = answer.get("job_status")
    if not isinstance(job, Mapping) or "id" not in job or "status" not in job:
        raise ContractError("Zendesk answered an update of many with no job")
    return job

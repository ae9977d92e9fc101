"""The sandbox's jobs: an update of many is done between its answer and the first look at it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Jobs:
    """written: {organization: its fields} as they were set."""

    written: dict[str, dict[str, Any]]
    results: dict[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)

    def submit(self, rows: Sequence[Mapping[str, Any]], there: Collection[int]) -> dict[str, Any]:
        """Set the fields of those organizations there are; the answer to the request."""
        made: list[dict[str, Any]] = []
        for index, row in enumerate(rows):
            if row["id"] in there:
                self.written.setdefault(str(row["id"]), {}).update(row["organization_fields"])
                made.append({"index": index, "id": row["id"], "action": "update", "status": "Updated", "success": True})
            else:
                made.append({"index": index, "error": "OrganizationNotFound", "details": "Organization does not exist"})
        job = f"job-{len(self.results) + 1:08}"
        self.results[job] = made
        return {"job_status": {"id": job, "status": "queued", "total": len(rows), "results": None}}

    def look(self, job: str) -> dict[str, Any] | None:
        """How a job stands; None for one nobody submitted."""
        if job not in self.results:
            return None
        return {"job_status": {"id": job, "status": "completed", "results": list(self.results[job])}}

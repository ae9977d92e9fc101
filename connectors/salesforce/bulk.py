"""Bulk API 2.0: a query as a job at Salesforce, its result as CSV in parts, for first loads.

    POST /jobs/query                {"operation": "query", "query": …} -> {"id": …}
    GET  /jobs/query/<id>           UploadComplete, InProgress, then JobComplete, Failed or Aborted
    GET  /jobs/query/<id>/results   CSV; Sforce-NumberOfRecords says how many rows, Sforce-Locator where the next part is

Results are kept for a week, so a load that was interrupted goes on with the part it had reached. A part is on disk while
it is read. Its rows get the shape of the REST API: nested objects for fields of other objects, null for empty cells.
"""

import csv
import io
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from connectors.kit.base import Raw
from connectors.kit.errors import BrokenBodyError, ContractError
from connectors.kit.http import Client
from connectors.kit.jobs import JobFailedError, Polling, finished

csv.field_size_limit(1 << 27)  # of the process; a long text area has more than the 131,072 characters it starts with
TRIES = 3

State = Mapping[str, str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkQuery:
    """data: path of the API's version; part: rows of a part."""

    data: str
    part: int = 10_000
    polling: Polling = field(default_factory=Polling)

    async def rows(
        self, client: Client, query: str, *, state: Mapping[str, Any]
    ) -> AsyncIterator[tuple[list[Raw], State | None]]:
        """Rows, part by part, each with the state to go on from; None after the last one.

        A job that failed or is not known any more is made once more, from the beginning.
        """
        job, locator = state["id"], state["locator"]
        for last_try in (False, True):
            if job is None:
                job = await self._submit(client, query)
                yield [], {"id": job, "locator": None}
            try:
                await finished(
                    job, lambda name: self._look(client, name), what="Salesforce bulk query", polling=self.polling
                )
                break
            except JobFailedError:
                if last_try:
                    raise
                job, locator = None, None
        while True:
            rows, locator = await self._part(client, str(job), locator)
            yield rows, {"id": job, "locator": locator} if locator else None
            if locator is None:
                return

    async def _submit(self, client: Client, query: str) -> str:
        answer = await client.post_json(f"{self.data}/jobs/query", json={"operation": "query", "query": query})
        if not isinstance(answer, Mapping) or not answer.get("id"):
            raise ContractError("Salesforce bulk query: a new job without an id")
        return str(answer["id"])

    async def _look(self, client: Client, job: str) -> bool | None:
        try:
            answer = await client.get_json(f"{self.data}/jobs/query/{job}")
        except ContractError as error:
            if error.status == 404:
                raise JobFailedError("Salesforce no longer knows the job") from None
            raise
        state = answer.get("state") if isinstance(answer, Mapping) else None
        if state in ("Failed", "Aborted"):
            raise JobFailedError(f"the job has ended as {state}: {answer.get('errorMessage') or 'no reason given'}")
        return True if state == "JobComplete" else None

    async def _part(self, client: Client, job: str, locator: str | None) -> tuple[list[Raw], str | None]:
        params = {"maxRecords": self.part, "locator": locator}
        for _ in range(TRIES):
            path = f"{self.data}/jobs/query/{job}/results"
            async with client.download(path, params=params, headers={"Accept": "text/csv"}) as download:
                told = download.reply.headers.get("sforce-numberofrecords", "")
                following = download.reply.headers.get("sforce-locator", "null")
                rows = _read(download.file)
            if told == str(len(rows)):
                return rows, None if following == "null" else following
        raise BrokenBodyError(f"Salesforce bulk query: a part of {told or 'untold'} rows came with {len(rows)}")


def _read(file: Any) -> list[Raw]:
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
    try:
        reader = csv.reader(text, strict=True)
        names = [name.split(".") for name in next(reader, [])]
        return [_nested(names, cells) for cells in reader if len(cells) == len(names)]
    except (csv.Error, UnicodeDecodeError):
        return []  # cut short in the middle of a cell: the count tells
    finally:
        text.detach()


def _nested(names: list[list[str]], cells: list[str]) -> Raw:
    """A row in the shape of the REST API; a row of another object all of whose fields are empty is null there."""
    row: dict[str, Any] = {}
    for path, cell in zip(names, cells, strict=True):
        if len(path) == 1:
            row[path[0]] = cell or None
        elif cell:
            inner = row.get(path[0]) or {}
            row[path[0]] = {**inner, ".".join(path[1:]): cell}
        else:
            row.setdefault(path[0], None)
    return row

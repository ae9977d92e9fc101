"""Exports: a job is submitted, looked at until it is done, and its file fetched from where the job says it is.

    POST /v2/accounts/{id}/export/events {"format": "json", "start_time", "end_time"} -> 202 {"job_id"}
    GET  /v2/accounts/{id}/jobs/{job}    {"status", "url"}                             the file: JSON lines

The file is behind a signed URL on a host of its own. It is fetched without the credential, from known hosts only.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from connectors.kit.budget import Budget
from connectors.kit.errors import ContractError
from connectors.kit.http import Client
from connectors.kit.jobs import JobFailedError, Polling, run
from connectors.kit.paging import own_path
from connectors.kit.reply import Download

DONE = frozenset({"finished", "complete", "completed", "succeeded", "success"})
RUNNING = frozenset({"pending", "queued", "received", "started", "processing", "running", "in_progress"})
FAILED = frozenset({"failed", "error", "cancelled", "expired"})
GONE = frozenset({404, 410})
PLACES = ("url", "download_url", "result_url")


@dataclass(frozen=True, slots=True)
class Exports:
    """The exports of one pull; a job may be handed out once only, or one export's file would be taken for another's."""

    account_id: str
    hosts: Sequence[str]
    polling: Polling
    jobs: set[str] = field(default_factory=set)

    @asynccontextmanager
    async def events(self, client: Client, start: datetime, end: datetime) -> AsyncIterator[Download]:
        """The file of the events in [start, end)."""
        what = f"Appcues export of {start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M}"
        body = {"format": "json", "start_time": _iso(start), "end_time": _iso(end)}

        async def submit() -> str:
            answer = await client.post_json(f"/v2/accounts/{self.account_id}/export/events", json=body)
            job = answer.get("job_id") if isinstance(answer, Mapping) else None
            if not job:
                raise ContractError(f"{what}: an answer without a job_id")
            if str(job) in self.jobs:
                raise ContractError(f"{what}: was given job {job}, which is another export's")
            self.jobs.add(str(job))
            return str(job)

        async def look(job: str) -> str | None:
            try:
                told = await client.get_json(f"/v2/accounts/{self.account_id}/jobs/{job}")
            except ContractError as error:
                if error.status in GONE:
                    raise JobFailedError(f"{what}: there is no such job any more") from None
                raise
            return _place(told, what=what)

        url = await run(submit, look, what=what, polling=self.polling)
        async with self._fetching(client, url) as (other, path), other.download(path) as download:
            yield download

    @asynccontextmanager
    async def _fetching(self, client: Client, url: str) -> AsyncIterator[tuple[Client, str]]:
        """A client without a credential for the host of `url`, and the path there."""
        target, base = urlsplit(url), urlsplit(client.base_url)
        host = target.hostname or ""
        known = any(host == each.lstrip(".") or (each[:1] == "." and host.endswith(each)) for each in self.hosts)
        if target.netloc == base.netloc or not target.netloc:
            origin = f"{base.scheme}://{base.netloc}"
        elif known and target.scheme == "https":
            origin = f"https://{target.netloc}"
        else:
            raise ContractError(
                f"the export's file is said to be at {target.scheme}://{host}, which is none of: {', '.join(self.hosts)}; not"
                " fetched. Add the host to download_hosts if it is right"
            )
        async with Client(origin, budget=Budget({})) as other:
            yield other, own_path(url, base_url=origin)


def _place(job: Any, *, what: str) -> str | None:
    """Where the file of a job is; None while it runs."""
    status = str(job.get("status", "")).lower() if isinstance(job, Mapping) else ""
    if status in RUNNING:
        return None
    if status in FAILED:
        raise JobFailedError(f"{what}: {status}")
    if status not in DONE:
        known = ", ".join(sorted(DONE | RUNNING | FAILED))
        raise ContractError(f"{what}: {status or 'no status'!r} is none of the statuses known: {known}")
    url = next((job[name] for name in PLACES if job.get(name)), None)
    if not url:
        raise ContractError(f"{what}: done, and does not say where the file is")
    return str(url)


def _iso(when: datetime) -> str:
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")

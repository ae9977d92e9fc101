"""manifest.yaml: what a connector says of itself, for people, for the registry and for the checks.

name: hubspot                    the folder's name; never changes once sources use it
title: HubSpot CRM
description: One or two sentences.
auth: What credential it needs, and where a person makes one.
base_url: https://api.example.com
creates_customers: true          its companies are customers (CRM, billing); else only evidence of who is who
lag_seconds: 60                  rows become visible this late; no bookmark goes beyond the sync's start minus this
concurrency: 4                   requests under way at once
rates: {default: [{requests: 100, seconds: 10}]}
settings: {token: one sentence}  every setting of the folder's `Settings`
webhooks: How the vendor signs what it sends to /hooks/<source>; left out where it sends nothing
receives_only: true              nothing can be asked for: rows come by webhook alone; left out elsewhere
writes: {health_score: why}      fields it can write back, see the folder's writing.py
exempt: {deletions: why}         checks of the conformance suite this connector is excused from, with the reason
streams:
  companies:
    about: one sentence
    permission: crm.objects.companies.read
    bookmark: key                what the bookmark holds, see `Bookmarked`
    deletions: archive listing   how rows that are gone become known, in a few words; "none" where they do not
    feeds: [ticket counts]       the facts of scoring/facts.py its records feed, by name
    limits: 10,000 per search    caps of the vendor's, and what happens at them; left out where there is none
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from connectors.kit.budget import Budget, Rate, shared
from connectors.kit.errors import ConnectorError, DeniedError
from hub.documents import Document


class _Part(BaseModel):
    model_config: ClassVar[ConfigDict] = ConfigDict(extra="forbid", frozen=True)


Bookmarked = Literal["token", "time", "key", "time and key", "events", "file", "none"]
"""What a bookmark holds: the vendor's own token; the time of the last change; the last key; both (a keyset); a place in the
vendor's log of events; which files were read; or nothing, where each pull reads everything."""


class StreamNote(_Part):
    """about: one sentence; permission: what the credential must be allowed, in the vendor's words. The rest: see above."""

    about: str
    permission: str | None = None
    bookmark: Bookmarked
    deletions: str
    feeds: tuple[str, ...] = ()
    limits: str | None = None


class RateNote(_Part):
    requests: int = Field(gt=0)
    seconds: float = Field(gt=0)


class Manifest(_Part):
    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: str
    description: str
    auth: str
    base_url: str
    creates_customers: bool
    lag_seconds: int = Field(ge=0)
    concurrency: int = Field(default=4, gt=0)
    rates: Mapping[str, tuple[RateNote, ...]] = {}
    settings: Mapping[str, str]
    streams: Mapping[str, StreamNote]
    webhooks: str | None = None
    receives_only: bool = False
    writes: Mapping[str, str] = {}
    example: Mapping[str, Any] = {}
    exempt: Mapping[str, str] = {}

    @classmethod
    def of(cls, folder: Path) -> "Manifest":
        """Read `folder`/manifest.yaml; ConfigError with every fault of it. Read once per process."""
        return _read(folder)

    def refusal(self, stream: str, error: ConnectorError) -> str:
        """What to tell of `error` of a stream: where it was refused, the permission it lacks is named in any case."""
        note = self.streams.get(stream)
        needs = note.permission if note and isinstance(error, DeniedError) else None
        return str(error) if needs is None or needs in str(error) else f"{error}; it needs {needs}"

    def budget(self, *credential: str) -> Budget:
        """The budget all clients of this credential share. `credential`: base URL, token: only hashed."""
        rates = {name: [Rate(r.requests, r.seconds) for r in some] for name, some in self.rates.items()}
        return shared(self.name, *credential, make=lambda: Budget(rates, concurrency=self.concurrency))


@cache
def _read(folder: Path) -> Manifest:
    return Document.read(folder / "manifest.yaml", name=f"connectors/{folder.name}/manifest.yaml").parse(Manifest)

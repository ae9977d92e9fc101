"""hub.yaml's `graphql`: what may be asked, by whom, from where, and how much of it.

graphql:
  introspection: admins        # or all, nobody
  documents: documents         # trusted ones: a folder of *.graphql, or a JSON file; `cshub documents`
  only_trusted: true           # no others, but from admins; admins_too: no others at all
  origins: [https://app.example.com]
  cost: {query: 50000, minute: 300000}
  timeout: {query: 15, mutation: 120}        # seconds
"""

import re
from pathlib import Path
from typing import Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from schema.guard.trusted import Documents

Whose = Literal["admins", "all", "nobody"]
_ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:\d{1,5})?|https?://\[[0-9a-f:]+\](:\d{1,5})?", re.IGNORECASE)


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Cost(_Part):
    """In points, which are rows. query: what one operation may cost; minute: what one token may cost in a minute."""

    query: int = Field(default=50_000, ge=100)
    minute: int = Field(default=300_000, ge=100)

    @model_validator(mode="after")
    def _one_fits(self) -> "Cost":
        if self.minute < self.query:
            raise ValueError(f"minute: {self.minute} is less than one query may cost ({self.query})")
        return self


class Timeout(_Part):
    """In seconds."""

    query: float = Field(default=15, ge=0.1, le=3_600)
    mutation: float = Field(default=120, ge=1, le=3_600)


class GraphQL(_Part):
    """See the module. graphiql: whose tokens the explorer takes; nobody: there is no such page."""

    introspection: Whose = "admins"
    graphiql: Whose = "admins"
    documents: Path | None = None
    only_trusted: bool | Literal["admins_too"] = False
    origins: list[str] = Field(default_factory=list)
    cost: Cost = Cost()
    timeout: Timeout = Timeout()

    @field_validator("origins")
    @classmethod
    def _are_origins(cls, value: list[str]) -> list[str]:
        for each in value:
            if not _ORIGIN.fullmatch(each):
                raise ValueError(f"{each!r} is no origin; origins are such as https://app.example.com, without a path")
        return value

    @model_validator(mode="after")
    def _has_documents(self) -> "GraphQL":
        if self.only_trusted and self.documents is None:
            raise ValueError("only_trusted needs documents: a folder or file of them")
        return self


class _HasGraphQL(Protocol):
    @property
    def graphql(self) -> GraphQL: ...


def documents_of(hub: _HasGraphQL | None, folder: Path) -> Documents:
    """The trusted documents of hub.yaml, read; none where it names none, or is not readable, which is told already."""
    at = hub.graphql.documents if hub is not None else None
    return Documents() if at is None else Documents.read(folder / at)

"""The tables of a dump: which file belongs to which, whose the users are, and the rows of one.

    <location>/…/<table>/<anything>.avro      or .parquet; a table is the folder its files are in, whatever is above it

Dumps are incremental and a user may be in several; the newest file's row counts. `user_migrations` says which users were
merged into which: events keep the id they came with, so the mapping is followed to its end.
"""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any

from connectors.kit.errors import ContractError
from connectors.kit.files import File, Place, Reading
from connectors.kit.values import text
from hub.model.records import Quarantined

USERS, MIGRATIONS = "users", "user_migrations"
ENDINGS = (".avro", ".parquet")
ROWS_AT_ONCE = 1_000
Row = Mapping[str, Any]


def table_of(file: File) -> str | None:
    """The table a file belongs to; None for manifests and whatever else lies there."""
    path = PurePosixPath(file.name)
    parent = path.parent.name or PurePosixPath(file.path).parent.name
    return parent.lower() if path.suffix.lower() in ENDINGS and parent else None


def files_of(files: Iterable[File], table: str, *, since: datetime | None = None) -> list[File]:
    """The files of a table that were written at `since` or later, the oldest first."""
    return [
        file
        for file in files
        if table_of(file) == table and (since is None or file.changed is None or file.changed >= since)
    ]


async def rows(place: Place, file: File) -> AsyncIterator[tuple[list[Row], list[Quarantined]]]:
    async for page in place.pages(file, Reading(), size=ROWS_AT_ONCE):
        good = [row for row in page if not isinstance(row, Quarantined)]
        yield good, [row for row in page if isinstance(row, Quarantined)]


@dataclass(slots=True)
class People:
    """Whose the users are: {Heap's id: (company, how you know the user)}, and who was merged into whom."""

    company: str
    identity: str
    known: dict[str, tuple[str | None, str | None]] = field(default_factory=dict)
    merged: dict[str, str] = field(default_factory=dict)

    async def read(self, place: Place, files: Sequence[File]) -> None:
        for file in files_of(files, USERS):
            async for some, _ in rows(place, file):
                for row in some:
                    user = text(row.get("user_id"))
                    if user is not None:
                        self.known[user] = (text(row.get(self.company)), text(row.get(self.identity)))
        self.merged = await migrations(place, files)

    def of(self, user: Any) -> tuple[str | None, str | None]:
        """(company, key) of a user as an event names it."""
        key = text(user)
        if key is None:
            return None, None
        key = final(key, self.merged)
        company, identity = self.known.get(key, (None, None))
        return company, identity or key


async def migrations(place: Place, files: Sequence[File]) -> dict[str, str]:
    found = {}
    for file in files_of(files, MIGRATIONS):
        async for some, _ in rows(place, file):
            for row in some:
                old, new = text(row.get("from_user_id")), text(row.get("to_user_id"))
                if old is not None and new is not None and old != new:
                    found[old] = new
    return found


def final(user: str, merged: Mapping[str, str]) -> str:
    """Who a user is in the end; ContractError where the mapping leads in a circle."""
    seen = {user}
    while user in merged:
        user = merged[user]
        if user in seen:
            raise ContractError(f"user_migrations leads from user {user} back to it")
        seen.add(user)
    return user

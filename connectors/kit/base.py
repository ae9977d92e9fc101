"""What a connector declares: a manifest, its streams, and a pure mapping per stream. The kit does the rest.

    class Connector                       built by `connectors.kit.registry` from one configured source
      .manifest                           manifest.yaml, read
      .streams() -> tuple[Stream, …]      in the order they are pulled

    Stream.pull(client, window)           yields Pages of raw rows, each with the bookmark that stands when it has landed
    Stream.records(raw)                   a raw row's records: none, one or several; raises BadRowError for the quarantine

A bookmark is a small JSON object that only its stream understands. `Page.bookmark` None means: not resumable here, keep
the old one. It may only ever say "everything up to here has been yielded", and never run past `Window.started_at` minus
the vendor's own lag, or rows that become visible late are lost.
"""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Protocol

from connectors.kit.tracking import Tracked
from hub.model.records import Quarantined, Record

if TYPE_CHECKING:
    from connectors.kit.http import Client
    from connectors.kit.manifest import Manifest

Raw = Mapping[str, Any]
Bookmark = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """What a pull is asked for.

    bookmark    where the last one stopped; None asks for everything
    started_at  when this sync began (aware, UTC); the upper bound of what may be bookmarked
    limit       stop after about this many rows (`cshub try --limit`); None for all
    """

    bookmark: Bookmark | None
    started_at: datetime
    limit: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Some raw rows, and the bookmark that is true once they are stored.

    faults     rows the pull itself could not read (a broken line of an export, say)
    gone       keys of records the vendor says do not exist any more: they are kept, marked deleted
    total      the vendor's own count of rows to come, where it tells one; for progress bars
    """

    rows: Sequence[Raw]
    bookmark: Bookmark | None = None
    faults: Sequence[Quarantined] = ()
    gone: Sequence[str] = ()
    total: int | None = None


@dataclass(frozen=True, slots=True)
class Id:
    """A row the vendor has: the key of its record, and its version (see `Record.version`) where the listing tells it."""

    key: str
    version: int | None = None


class BadRowError(ValueError):
    """A raw row that cannot become a record: it goes to quarantine under `field`, and the rest of its page lands."""

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """One kind of thing a source yields.

    makes   the record types its mapping may return
    key     the raw row's id, for the quarantine; must not raise
    fetch   the rows of some keys (any number; it asks in batches as large as the vendor takes), for webhooks and repairs; a
            key the vendor no longer has is in a Page's `gone`. None: the vendor cannot be asked for single rows
    ids     every live row's key, for comparing the store with the vendor; cheaper than a pull. None: where a pull without
            bookmark lists everything, that is used; else nothing can be compared
    whole   a pull without bookmark yields every live row, so that what it lacks is gone
    tracked reads a row as a single act, or as something said of a user; see `connectors.kit.tracking`
    """

    name: str
    makes: tuple[type[Record], ...]
    pull: Callable[["Client", Window], AsyncIterator[Page]]
    records: Callable[[Raw], Iterable[Record]]
    key: Callable[[Raw], str] = field(default=lambda raw: str(raw.get("id", "")))
    fetch: Callable[["Client", Sequence[str]], AsyncIterator[Page]] | None = None
    ids: Callable[["Client", Window], AsyncIterator[Sequence["Id"]]] | None = None
    whole: bool = False
    tracked: Callable[[Raw], Tracked] | None = None


class Connector(Protocol):
    """One configured use of a vendor's API: what `connector.py` in each vendor's folder defines as class `Connector`.

    It is built with its validated settings, a pydantic model the folder names `Settings`; secrets are SecretStr.

    One whose credential renews itself has an attribute `vault`, a `connectors.kit.oauth.Vault()` to begin with, and hands
    it to its `Tokens`: the hub puts one in its place that keeps what is kept sealed in the store.
    """

    manifest: "Manifest"

    def client(self) -> "Client":
        """A client with this source's base URL, credentials, rate budget and error rules."""
        ...

    def streams(self) -> tuple[Stream, ...]: ...


def map_rows(stream: Stream, rows: Iterable[Raw]) -> tuple[list[Record], list[Quarantined]]:
    """Map raw rows; what a mapping refuses, or stumbles over, becomes a quarantined row that names the field.

    KeyError, TypeError and ValueError of a mapping are the row's fault: a vendor's row had another shape than documented.
    """
    records: list[Record] = []
    bad: list[Quarantined] = []
    for raw in rows:
        try:
            records.extend(stream.records(raw))
        except BadRowError as error:
            bad.append(Quarantined(key=_key(stream, raw), reason=str(error), field=error.field, raw=raw))
        except KeyError as error:
            name = str(error.args[0]) if error.args else None
            bad.append(Quarantined(key=_key(stream, raw), reason=f"field {name!r} is missing", field=name, raw=raw))
        except (TypeError, ValueError, AttributeError) as error:
            bad.append(Quarantined(key=_key(stream, raw), reason=f"unexpected shape: {error}", raw=raw))
    return records, bad


def _key(stream: Stream, raw: Raw) -> str:
    """The row's id, or what it holds where it has none: two bad rows must not become one entry."""
    return stream.key(raw) or "no id " + blake2b(repr(sorted(raw.items())).encode(), digest_size=8).hexdigest()

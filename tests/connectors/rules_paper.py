"""What the folder of every connector has to be: rules as functions that raise AssertionError. `PAPER` is all of them.

A connector may be excused from one in its manifest (`exempt: {rule: why}`); see test_conformance.py.
"""

import ast
import dataclasses
import inspect
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from enum import StrEnum
from itertools import zip_longest
from typing import Any

from connectors.kit import registry
from connectors.kit.base import Stream, map_rows
from connectors.kit.manifest import Manifest
from connectors.kit.sandbox import Faults
from connectors.kit.settings import SourceSettings
from hub.model.records import RECORD_KINDS, Company, Record
from scoring.facts import CATALOGUE
from tests.connectors.suite import KINDS
from tests.connectors.worlds import company

UNKNOWN = "zz-unheard-of"
NOT_HERE = {"httpx", "requests", "aiohttp", "urllib.request", "http.client", "socket", "urllib3"}
SECRET = ("token", "secret", "password", "api_key", "private_key", "refresh_token", "client_secret", "webhook_secret")


@dataclass(frozen=True)
class Folder:
    name: str

    @property
    def manifest(self) -> Manifest:
        return registry.manifest(self.name)

    def streams(self) -> dict[str, Stream]:
        built = registry.build(self.name, {**self.manifest.example, "base_url": "http://127.0.0.1:1/prefix"})
        return {stream.name: stream for stream in built.streams()}

    def golden(self, stream: str) -> dict[str, Any]:
        path = registry.folder(self.name) / "fixtures" / f"{stream}.json"
        assert path.is_file(), f"stream {stream} has no fixtures/{stream}.json"
        golden: dict[str, Any] = json.loads(path.read_text())
        assert {"rows", "records", "refused"} <= golden.keys(), f"{path.name} has no rows, records or refused"
        return golden


def manifest(folder: Folder) -> None:
    """It tells of every setting and stream, and its example builds it."""
    told, model = folder.manifest, registry.settings_model(folder.name)
    assert told.name == folder.name
    assert issubclass(model, SourceSettings)
    assert model.model_config["extra"] == "forbid"
    told_or_not = set(told.settings) ^ set(model.model_fields)
    assert not told_or_not, f"settings that only the manifest or only the code has: {sorted(told_or_not)}"
    assert not told.receives_only or getattr(registry.webhook(folder.name), "rows", None), "nothing can be sent to it"
    streams = folder.streams()
    assert list(streams) == list(told.streams), (
        f"its example has streams {list(streams)}, the manifest {list(told.streams)}"
    )
    makes = {type_ for stream in streams.values() for type_ in stream.makes}
    assert makes <= set(RECORD_KINDS.values())
    assert Company in makes or not told.creates_customers, "it is to create customers and brings no companies"
    blank = [name for name, note in told.streams.items() if not (note.about.strip() and note.deletions.strip())]
    assert not blank, f"streams that say nothing of themselves or of their deletions: {blank}"
    assert told.rates, "its rate limits, as the vendor states them"


def feeds(folder: Folder) -> None:
    """It says which facts its records feed, by names there are."""
    named = {fact for note in folder.manifest.streams.values() for fact in note.feeds}
    assert named, "no stream says which facts it feeds"
    unknown = named - {fact.name for fact in CATALOGUE}
    assert not unknown, f"there are no facts {sorted(unknown)}; see scoring/facts.py"


def readme(folder: Folder) -> None:
    """It tells of every stream and every setting of its own."""
    text = (registry.folder(folder.name) / "README.md").read_text()
    own = [name for name in folder.manifest.settings if name not in SourceSettings.model_fields]
    missing = [what for what in (*folder.manifest.streams, *own) if f"`{what}`" not in text]
    assert not missing, f"its README says nothing of `{'`, `'.join(missing)}`"


def imports(folder: Folder) -> None:
    """The kit's client is its only way out, and it knows no other connector."""
    imported = set[str]()
    for path in registry.folder(folder.name).glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                imported |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                imported.add(node.module or "")
    assert not imported & NOT_HERE, f"imports {sorted(imported & NOT_HERE)}"
    others = {name.split(".")[1] for name in imported if name.startswith("connectors.")} - {"kit", folder.name}
    assert not others, f"imports other connectors: {sorted(others)}"


def sandbox(folder: Folder) -> None:
    """Its sandbox can be served, read and judged without knowing it."""
    made = inspect.signature(registry.sandbox(folder.name)).parameters
    needed = [one.name for one in made.values() if one.default is inspect.Parameter.empty]
    assert needed == ["world", "token", "faults"], f"app() is given world, token and faults, and needs {needed}"
    settings = registry.sandbox_settings(folder.name, "http://127.0.0.1:1", token="t0ken-of-a-sandbox")
    built = registry.build(folder.name, settings)
    given = {stream.name for stream in built.streams()}
    assert given == set(folder.manifest.streams), f"by its settings() there are the streams {sorted(given)} only"


def over_http(folder: Folder) -> None:
    """It speaks HTTP, so that the suites can do to its sandbox what goes wrong; what does not has tests of its own."""
    routes = registry.sandbox(folder.name)(company, token="t0ken", faults=Faults()).routes
    assert [route for route in routes if getattr(route, "path", "") != "/_faults"], "its sandbox serves nothing"


def golden(folder: Folder) -> None:
    """Fixture rows become the records beside them; of each stream some do, and some are refused by id and field."""
    for name, stream in folder.streams().items():
        found = folder.golden(name)
        records, refused = map_rows(stream, found["rows"])
        made = [_plain({"kind": KINDS[type(record)], **asdict(record)}) for record in records]
        same(f"records of {name}", made, found["records"])
        told = [{"key": bad.key, "reason": bad.reason, "field": bad.field} for bad in refused]
        same(f"refused rows of {name}", told, found["refused"])
        assert {type(record) for record in records} <= set(stream.makes), f"kinds of records of {name}"
        assert records, f"{name} shows no row that becomes a record"
        assert any(bad.key and bad.field for bad in refused), f"{name} shows no refused row with its id and its field"


def unknown_words(folder: Folder) -> None:
    """A word of a row that nobody knows is refused, naming those there are, and never read as one of them."""
    for name, stream in folder.streams().items():
        for raw in folder.golden(name)["rows"]:
            right = {(type(each), each.key): each for each in _mapped(stream, raw)}
            for place, changed in _unheard_of(raw):
                for record in _mapped(stream, changed):
                    was = right.get((type(record), record.key))
                    wrong = [
                        field for field in _closed(record) if was and getattr(was, field) != getattr(record, field)
                    ]
                    assert not wrong, (
                        f"{name}: {place} {UNKNOWN!r} made {wrong[0]} {getattr(record, wrong[0])!r} without a word;"
                        " use values.choice"
                    )


def secrets(folder: Folder) -> None:
    """No secret of its settings shows where they are printed."""
    model = registry.settings_model(folder.name)
    parsed = model.model_validate(dict(folder.manifest.example))
    for field in model.model_fields:
        value = getattr(parsed, field)
        if hasattr(value, "get_secret_value"):
            assert value.get_secret_value() not in repr(parsed), f"repr shows {field}"
        assert field not in SECRET or not isinstance(value, str), f"{field} must be a SecretStr"


PAPER: tuple[Callable[[Folder], None], ...] = (
    manifest, feeds, readme, imports, sandbox, over_http, golden, unknown_words, secrets,
)  # fmt: skip


def _mapped(stream: Stream, raw: Mapping[str, Any]) -> list[Record]:
    return map_rows(stream, [raw])[0]


def _closed(record: Record) -> Iterator[str]:
    """Fields whose values are a closed list."""
    for field in dataclasses.fields(record):
        if isinstance(getattr(record, field.name), StrEnum):
            yield field.name


def _unheard_of(raw: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """`raw` with one of its words in turn replaced by one nobody knows, and where that stands."""
    for path in _words(raw):
        changed = json.loads(json.dumps(raw))
        at = changed
        for step in path[:-1]:
            at = at[step]
        at[path[-1]] = UNKNOWN
        yield ".".join(str(step) for step in path), changed


def _words(raw: Any, path: tuple[Any, ...] = ()) -> Iterable[tuple[Any, ...]]:
    parts = raw.items() if isinstance(raw, dict) else enumerate(raw) if isinstance(raw, list) else ()
    for step, value in parts:
        if isinstance(value, str):
            yield (*path, step)
        else:
            yield from _words(value, (*path, step))


def same(what: str, have: list[Any], want: list[Any]) -> None:
    """The first that differs is shown."""
    for one, other in zip_longest(have, want):
        assert one == other, f"{what}: {one!r}, and expected was {other!r}"


def _plain(value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    return [_plain(part) for part in value] if isinstance(value, (tuple, list)) else value

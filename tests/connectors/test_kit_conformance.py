"""What every connector has to be, checked on each folder the registry finds."""

import ast
import inspect
import json
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from connectors.kit import registry
from connectors.kit.base import map_rows
from connectors.kit.settings import SourceSettings
from hub.model.records import RECORD_KINDS, Company

FOLDER = Path(registry.__file__).parents[1]
KINDS = {type_: kind for kind, type_ in RECORD_KINDS.items()}
NAMES = registry.names()
WITH_EXAMPLE = [name for name in NAMES if registry.manifest(name).example]
WITH_FIXTURES = [
    (name, path.stem)
    for name in WITH_EXAMPLE
    for path in sorted((FOLDER / name / "fixtures").glob("*.json"))
    if path.stem in registry.manifest(name).streams
]


def test_the_connectors_are_found() -> None:
    assert {"csvfile", "hubspot"} <= set(WITH_EXAMPLE) <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_manifest_settings_and_code_agree(name: str) -> None:
    manifest, settings = registry.manifest(name), registry.settings_model(name)
    assert manifest.name == name
    assert issubclass(settings, SourceSettings)
    assert set(manifest.settings) == set(settings.model_fields)
    assert settings.model_config["extra"] == "forbid"


@pytest.mark.parametrize("name", WITH_EXAMPLE)
def test_its_example_builds_it_with_the_streams_it_declares(name: str) -> None:
    manifest = registry.manifest(name)
    connector = registry.build(name, {**manifest.example, "base_url": "http://127.0.0.1:1/prefix"})
    assert [stream.name for stream in connector.streams()] == list(manifest.streams)
    makes = {type_ for stream in connector.streams() for type_ in stream.makes}
    assert makes <= set(RECORD_KINDS.values())
    if manifest.creates_customers:
        assert Company in makes
    assert connector.client().base_url == "http://127.0.0.1:1/prefix"


@pytest.mark.parametrize("name", WITH_EXAMPLE)
def test_no_secret_of_its_settings_shows(name: str) -> None:
    model = registry.settings_model(name)
    parsed = model.model_validate(dict(registry.manifest(name).example))
    for field in model.model_fields:
        value = getattr(parsed, field)
        if hasattr(value, "get_secret_value"):
            assert value.get_secret_value() not in repr(parsed)
        assert field not in ("token", "secret", "password", "api_key", "key_secret") or not isinstance(value, str)


@pytest.mark.parametrize(("name", "stream_name"), WITH_FIXTURES)
def test_fixture_rows_become_the_records_beside_them(name: str, stream_name: str) -> None:
    golden = json.loads((FOLDER / name / "fixtures" / f"{stream_name}.json").read_text())
    connector = registry.build(name, registry.manifest(name).example)
    (stream,) = (one for one in connector.streams() if one.name == stream_name)
    records, refused = map_rows(stream, golden["rows"])
    assert [plain({"kind": KINDS[type(record)], **asdict(record)}) for record in records] == golden["records"]
    assert [{"key": bad.key, "reason": bad.reason, "field": bad.field} for bad in refused] == golden["refused"]
    assert {type(record) for record in records} <= set(stream.makes)
    assert golden["records"]
    assert golden["refused"], "show a row that goes to quarantine, too"


@pytest.mark.parametrize("name", WITH_EXAMPLE)
def test_every_stream_has_fixtures(name: str) -> None:
    assert {stream for owner, stream in WITH_FIXTURES if owner == name} == set(registry.manifest(name).streams)


@pytest.mark.parametrize("name", NAMES)
def test_its_sandbox_takes_a_world_a_token_and_faults(name: str) -> None:
    parameters = inspect.signature(registry.sandbox(name)).parameters
    assert [*parameters][:3] == ["world", "token", "faults"]
    needed = [one.name for one in parameters.values() if one.default is inspect.Parameter.empty]
    assert needed == ["world", "token", "faults"]


@pytest.mark.parametrize("name", NAMES)
def test_its_readme_tells_of_every_stream_and_setting(name: str) -> None:
    text = (FOLDER / name / "README.md").read_text()
    manifest = registry.manifest(name)
    own = [setting for setting in manifest.settings if setting not in SourceSettings.model_fields]
    assert [what for what in (*manifest.streams, *own) if f"`{what}`" not in text] == []


@pytest.mark.parametrize("name", NAMES)
def test_it_imports_no_http_library_and_no_other_connector(name: str) -> None:
    imported = set()
    for path in (FOLDER / name).glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                imported |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                imported.add(node.module or "")
    assert not imported & {"httpx", "requests", "aiohttp", "urllib.request", "http.client", "socket"}
    ours = {module.split(".")[1] for module in imported if module.startswith("connectors.")}
    assert ours <= {"kit", name}


def plain(value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, dict):
        return {key: plain(part) for key, part in value.items()}
    return [plain(part) for part in value] if isinstance(value, tuple) else value

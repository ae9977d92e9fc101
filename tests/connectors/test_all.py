"""`cshub sync --all` with a source of every connector there is, all in one hub: green, and exact."""

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import select

from connectors.kit import registry, tempo
from connectors.kit.sandbox import Faults
from hub.model.records import RECORD_KINDS
from hub.store import Store
from hub.store.tables import RECORD_TABLES
from tests.cli.conftest import Cli
from tests.connectors.suite import SERVED
from tests.connectors.worlds import company

TOKEN = "s3cret-of-every-sandbox"
KINDS = {type_: kind for kind, type_ in RECORD_KINDS.items()}


def test_every_source_at_once(
    serve: Callable[[Any], str], sqlite_template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = company()
    urls = {name: serve(registry.sandbox(name)(lambda: world, token=TOKEN, faults=Faults())) for name in SERVED}
    cli = Cli(tmp_path / "config", tmp_path / "cshub.db")
    cli.config.mkdir()
    shutil.copy(sqlite_template, cli.store)
    sources = {
        name: {"connector": name, "settings": registry.sandbox_settings(name, urls[name], token=TOKEN)}
        for name in SERVED
    }
    cli.write("sources.yaml", orjson.dumps({"sources": sources}).decode())
    monkeypatch.setattr("hub.cli.sync.utc_now", lambda: world.until)
    tempo.run_at(200)  # the seconds of rate limits, which are kept all the same
    try:
        done = cli("sync", "--all")
        again = cli("sync", "--all")
    finally:
        tempo.run_at(1)
    assert done.exit_code == 0, done.output
    assert TOKEN not in done.output
    assert again.exit_code == 0, again.output
    wrong = asyncio.run(compare(f"sqlite:///{cli.store}", world, sources))
    assert wrong == []


async def compare(url: str, world: Any, sources: dict[str, Any]) -> list[str]:
    """Streams whose live keys are not those of the truth."""
    wrong = []
    async with Store.open(url) as store, store.reading() as connection:
        for name, source in sources.items():
            streams = registry.build(name, source["settings"]).streams()
            truth = registry.truth(name, world)
            kinds = {KINDS[type_] for stream in streams for type_ in stream.makes}
            have = set[str]()
            for kind in kinds:
                table = RECORD_TABLES[kind]
                which = (table.c.source == name, table.c.deleted.is_(False), table.c.digest != 0)
                have |= set((await connection.execute(select(table.c.key).where(*which))).scalars())
            want = {key for stream in streams for key in truth[stream.name]}
            if missing := want - have:
                wrong.append(f"{name}: missing {sorted(missing)[:5]}")
            if extra := have - want:
                wrong.append(f"{name}: too many {sorted(extra)[:5]}")
    return wrong

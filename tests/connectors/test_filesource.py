"""The filesource connector on real folders, with what goes wrong with files."""

import gzip
from dataclasses import replace
from datetime import timedelta
from os import utime
from pathlib import Path
from typing import Any

import pytest

from connectors.filesource.sandbox import fill, source_of, truth
from connectors.kit.registry import build
from connectors.kit.simulated import World
from hub.errors import ConfigError
from hub.identity import IdentityRules, SourceRules
from hub.model.actions import SyncState
from hub.store import Store
from hub.store.syncs import declare_sources
from hub.sync import Source, SyncReport, sync
from tests.connectors.suite import holds
from tests.connectors.worlds import answer, company

RULES = IdentityRules(sources={"exports": SourceRules()})


class Folder:
    """A folder with the simulated company's answers, and a source that reads it into a store."""

    def __init__(self, path: Path, store: Store) -> None:
        self.path, self.store, self.world = path, store, company()
        self.now = self.world.until

    async def sync(self, **settings: Any) -> SyncReport:
        connector = build("filesource", {**source_of(self.path), **settings})
        async with self.store.transaction() as connection:
            await declare_sources(connection, {"exports": "filesource"})
        source = Source(name="exports", connector=connector, connector_name="filesource")
        return await sync(self.store, source, RULES, clock=lambda: self.now)

    def fill(self, world: World) -> None:
        self.world = world
        fill(self.path, world)

    async def held(self) -> dict[str, Any]:
        return (await holds(self.store))["survey_response"]


@pytest.fixture
def folder(tmp_path: Path, sqlite_store: Store) -> Folder:
    made = Folder(tmp_path / "exports", sqlite_store)
    made.fill(made.world)
    return made


async def test_files_are_read_once_and_again_when_they_have_changed(folder: Folder) -> None:
    first = await folder.sync()
    assert (first.state, first.streams["rows"].new) == (SyncState.SUCCEEDED, len(folder.world.nps))
    assert (await folder.held()).keys() == set(truth(folder.world)["rows"])
    assert (await folder.sync()).streams["rows"].pulled == 0
    more = [replace(answer(1, folder.now), number=500 + n) for n in range(3)]
    changed = replace(folder.world.nps[0], score=0)
    folder.fill(replace(folder.world, nps=[changed, *folder.world.nps[1:], *more]))
    third = (await folder.sync()).streams["rows"]
    assert (third.new, third.changed) == (3, 1)
    assert third.pulled < len(folder.world.nps)
    assert (await folder.held()).keys() == set(truth(folder.world)["rows"])


async def test_a_file_still_being_written_lands_what_it_has_and_the_rest_later(folder: Folder) -> None:
    (path, *_) = sorted(folder.path.iterdir())
    whole = path.read_bytes()
    lines = gzip.decompress(whole)
    path.write_bytes(gzip.compress(lines[: len(lines) // 2]))
    report = await folder.sync()
    assert report.state is SyncState.FAILED
    assert path.name in (report.error or "")
    assert 0 < len(await folder.held()) < len(folder.world.nps)
    path.write_bytes(whole)
    assert (await folder.sync()).state is SyncState.SUCCEEDED
    assert (await folder.held()).keys() == set(truth(folder.world)["rows"])


async def test_a_pull_that_was_ended_goes_on_in_its_file(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.filesource.pulling.PAGE", 2)
    (path, *_) = sorted(folder.path.iterdir())
    whole = path.read_bytes()
    lines = gzip.decompress(whole).splitlines(keepends=True)
    path.write_bytes(gzip.compress(b"".join(lines[:4]) + lines[4][:9]))
    stamp = path.stat().st_mtime
    await folder.sync()
    assert len(await folder.held()) == len(folder.world.nps) - 1
    path.write_bytes(whole)
    utime(path, (stamp + 9, stamp + 9))
    report = (await folder.sync()).streams["rows"]
    assert (report.state, report.new) == ("done", 1)


async def test_the_newest_file_alone_counts_where_it_is_the_whole(folder: Folder) -> None:
    report = await folder.sync(files="latest")
    newest = max(folder.path.iterdir(), key=lambda path: path.stat().st_mtime)
    assert report.streams["rows"].new == len(gzip.decompress(newest.read_bytes()).splitlines())


async def test_a_newer_file_says_what_a_row_is(folder: Folder) -> None:
    newer = folder.path / "a-correction.jsonl.gz"
    row = gzip.decompress(min(folder.path.iterdir()).read_bytes()).splitlines()[0]
    newer.write_bytes(gzip.compress(row.replace(b'"score":1', b'"score":10') + b"\n"))
    at = (folder.now + timedelta(days=1)).timestamp()
    utime(newer, (at, at))
    await folder.sync()
    assert (await folder.held())["nps-1"]["score"] == 10


async def test_rows_that_cannot_be_read_go_to_quarantine_and_the_rest_lands(folder: Folder) -> None:
    broken = (
        b'no json\n{"id": "x", "company": "acme.example", "score": "lots", "responded_at": "2026-11-01T00:00:00Z"}\n'
    )
    (folder.path / "z.jsonl.gz").write_bytes(gzip.compress(broken))
    report = await folder.sync()
    assert (report.state, report.streams["rows"].quarantined) == (SyncState.SUCCEEDED, 2)
    assert (await folder.held()).keys() == set(truth(folder.world)["rows"])


async def test_what_cannot_be_read_says_what_to_do(folder: Folder) -> None:
    for settings, words in (
        ({"location": str(folder.path / "none")}, "no such file or folder"),
        ({"location": str(folder.path / "*.parquet")}, "there are no files"),
        ({"key": "nmae"}, "has no column 'nmae' for key"),
    ):
        report = await folder.sync(**settings)
        assert report.state is SyncState.FAILED
        assert words in (report.error or "")
        assert "hunter2" not in (report.error or "")
    assert await folder.held() == {}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"columns": {"scor": "x"}}, "it has: deleted, type, scale, score"),
        ({"constants": {"type": "gps"}}, "constant type"),
        ({"encoding": "klingon"}, "there is no encoding"),
        ({"files": "some"}, "files"),
        ({"format": "xls"}, "format"),
        (
            {"location": "s4://bucket/x.csv"},
            "no filesystem is named s4://; there are abfs, az, file, ftp, gcs, gs, http",
        ),
        (
            {"location": "s3://bucket/x", "storage": {"key": "hunter2"}},
            "s3:// needs s3fs, which is not installed: pip in",
        ),
    ],
)
def test_a_setting_that_cannot_be_is_named(tmp_path: Path, given: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError) as refused:
        build("filesource", {**source_of(tmp_path), **given})
    assert words in str(refused.value)

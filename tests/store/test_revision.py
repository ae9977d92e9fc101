"""The migrations make the tables that the code has, and a missing one can be written."""

import shutil
from pathlib import Path

import pytest
from sqlalchemy import Column, Integer, Table

from hub.store import migrate, revision
from hub.store.tables import metadata


async def test_the_migrations_make_the_tables_there_are() -> None:
    assert await revision.is_complete()


async def test_what_is_missing_is_written_as_the_next_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    copy = tmp_path / "store"
    shutil.copytree(Path(migrate.__file__).parent / "migrations", copy / "migrations")
    monkeypatch.setattr(migrate, "files", lambda _: copy)
    extra = Table("extra", metadata, Column("id", Integer, primary_key=True))
    try:
        assert not await revision.is_complete()
        written = await revision.write("something extra")
    finally:
        metadata.remove(extra)
    text = written.read_text(encoding="utf-8")
    assert written.parent == copy / "migrations" / "versions"
    assert 'op.create_table("extra"' in text.replace("'", '"').replace("(\n    ", "(")
    assert f'down_revision = "{int(written.name[:4]) - 1:04}"' in text.replace("'", '"')

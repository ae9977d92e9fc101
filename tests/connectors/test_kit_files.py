"""Files as rows: every format and packing, what cannot be read, and what says how far it was."""

import asyncio
import gzip
import io
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import fastavro
import fsspec
import orjson
import polars
import pytest

from connectors.kit import formats
from connectors.kit.delimited import Dialect
from connectors.kit.errors import ContractError, DeniedError
from connectors.kit.files import ROW, Place, Reading
from connectors.kit.formats import check_format, check_location
from hub.model.records import Quarantined

ROWS = [{"id": number, "name": f"Name {number}"} for number in range(1, 8)]


def as_csv() -> bytes:
    return b"id,name\n" + b"".join(f"{row['id']},{row['name']}\n".encode() for row in ROWS)


def as_lines() -> bytes:
    return b"".join(orjson.dumps(row) + b"\n" for row in ROWS)


def as_avro() -> bytes:
    file = io.BytesIO()
    fields = [{"name": "id", "type": "long"}, {"name": "name", "type": "string"}]
    fastavro.writer(file, {"type": "record", "name": "row", "fields": fields}, ROWS)
    return file.getvalue()


def as_parquet() -> bytes:
    file = io.BytesIO()
    polars.DataFrame(ROWS).write_parquet(file)
    return file.getvalue()


MADE = {"x.csv": as_csv, "x.jsonl": as_lines, "x.avro": as_avro, "x.parquet": as_parquet}


async def read(place: Place, *, size: int = 3, skip: int = 0, **reading: Any) -> list[Any]:
    files = await asyncio.to_thread(place.files)
    return [
        row
        for file in files
        async for page in place.pages(file, Reading(**reading), size=size, skip=skip)
        for row in page
    ]


@pytest.mark.parametrize("name", MADE)
@pytest.mark.parametrize("packed", [False, True])
async def test_every_format_packed_or_not(tmp_path: Path, name: str, packed: bool) -> None:
    content = MADE[name]()
    path = tmp_path / (name + ".gz" * packed)
    path.write_bytes(gzip.compress(content) if packed else content)
    rows = await read(Place(str(tmp_path)))
    assert [(int(row["id"]), row["name"]) for row in rows] == [(row["id"], row["name"]) for row in ROWS]
    assert rows[6][ROW] == f"{path.name}, row 7"
    assert await read(Place(str(tmp_path)), skip=5) == rows[5:]


async def test_an_object_store_by_its_url() -> None:
    store = fsspec.filesystem("memory")
    store.pipe({"/exports/2026/a.jsonl": as_lines(), "/exports/b.csv": as_csv(), "/exports/readme.md": b"no"})
    try:
        place = Place("memory://exports/**/*.jsonl")
        (file,) = place.files()
        assert (file.name, file.size) == ("2026/a.jsonl", len(as_lines()))
        assert file.changed is not None
        assert len(await read(place)) == 7
    finally:
        store.rm("/exports", recursive=True)


def test_files_come_the_oldest_first_and_a_change_changes_the_tag(tmp_path: Path) -> None:
    for number, name in enumerate(("b.csv", "a.csv", "deep/c.csv")):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(as_csv())
        at = datetime(2026, 11, 1 + number, tzinfo=UTC).timestamp()
        os.utime(path, (at, at))
    place = Place(f"{tmp_path}/**")
    before = place.files()
    assert [file.name for file in before] == ["b.csv", "a.csv", "deep/c.csv"]
    (tmp_path / "b.csv").write_bytes(as_csv() + b"8,More\n")
    after = {file.name: file.tag for file in place.files()}
    assert {name for name, tag in after.items() if tag != {file.name: file.tag for file in before}[name]} == {"b.csv"}
    assert [file.name for file in Place(f"{tmp_path}/*.csv").files()] == ["a.csv", "b.csv"]


@pytest.mark.parametrize("name", ["x.csv.gz", "x.jsonl.gz", "x.jsonl", "x.avro", "x.parquet"])
async def test_a_file_cut_short_gives_what_it_has_and_says_so(tmp_path: Path, name: str) -> None:
    plain = MADE[name.removesuffix(".gz")]()
    content = gzip.compress(plain) if name.endswith(".gz") else plain
    (tmp_path / name).write_bytes(content[: -max(6, len(content) // 8)])
    place = Place(str(tmp_path))
    (file,) = place.files()
    rows: list[Any] = []

    async def read_on() -> None:
        async for page in place.pages(file, Reading(), size=100):
            rows.extend(page)

    with pytest.raises(ContractError, match=r"too early|stops within|damaged"):
        await read_on()
    assert all(row["name"].startswith("Name") for row in rows)
    if name == "x.jsonl":
        assert len(rows) == 6


async def test_a_row_that_cannot_be_read_is_a_fault_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(b'{"id": 1}\nno json\n[1]\n\n{"id": 2}\n')
    (tmp_path / "b.csv").write_bytes(b"id,name\n1,a\n2\n3,c\n")
    rows = await read(Place(str(tmp_path)))
    faults = [row for row in rows if isinstance(row, Quarantined)]
    assert [fault.key for fault in faults] == ["a.jsonl, row 2", "a.jsonl, row 3", "b.csv, line 3"]
    assert len(rows) == 7


@pytest.mark.parametrize(
    ("location", "words"),
    [
        ("{}/none/*.csv", "there are no files"),
        ("{}/none", "no such file or folder"),
        ("{}/empty", "there are no files"),
        ("s3://bucket/*.csv", "pip install s3fs"),
        ("klingon://bucket/x", "klingon"),
    ],
)
def test_a_place_that_cannot_be_read_says_what_to_do(tmp_path: Path, location: str, words: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(DeniedError, match=words):
        Place(location.format(tmp_path), {"secret": "hunter2"}).files()


async def test_an_ending_that_names_no_format_wants_a_setting(tmp_path: Path) -> None:
    (tmp_path / "x.dat").write_bytes("id;name\n1;Grün\n".encode("cp1252"))
    with pytest.raises(DeniedError, match="set format"):
        await read(Place(str(tmp_path)))
    dialect = Dialect(delimiter=";", encoding="cp1252")
    (row,) = await read(Place(str(tmp_path)), format="csv", dialect=dialect)
    assert row["name"] == "Grün"


def test_a_format_whose_reader_is_not_installed_is_told_before_anything_is_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    check_location("exports/*.parquet")
    monkeypatch.setattr(formats, "find_spec", lambda _name: None)
    check_location("exports/*.csv.gz")
    for told in (lambda: check_location("exports/*.parquet"), lambda: check_format("parquet")):
        with pytest.raises(ValueError, match="parquet needs polars, which is not installed: pip install polars"):
            told()


def test_what_a_store_is_opened_with_is_not_shown() -> None:
    assert "hunter2" not in repr(Place("s3://x", {"secret": "hunter2"}))

"""Reading CSV with the line of every row: a row that cannot be read is a fault with its line, and the next one goes on.

Cells may span lines and be up to 16 MB long. Bytes that are no text in the file's encoding spoil only their own row.
"""

import csv
import io
import re
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import IO

from hub.model.records import Quarantined

LONGEST_CELL = 16 << 20
csv.field_size_limit(LONGEST_CELL)  # of the whole process: the default of 128 KB fails on a long comment

_NO_TEXT = re.compile("[\udc80-\udcff]")
LINE = "#line"  # beside a raw row's columns; a column cannot be called so, see `_columns`


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    delimiter: str
    encoding: str

    def text(self, file: IO[bytes]) -> io.TextIOWrapper:
        # "utf-8-sig" reads with and without a byte order mark; undecodable bytes become surrogates, found again below
        encoding = "utf-8-sig" if self.encoding.lower().replace("_", "-") in ("utf-8", "utf8") else self.encoding
        return io.TextIOWrapper(file, encoding=encoding, errors="surrogateescape", newline="")


Row = Sequence[str] | Mapping[str, str] | Quarantined


class HeaderError(ValueError):
    """A header that leaves open which column is meant."""


def rows(file: IO[bytes], dialect: Dialect) -> Generator[Row, None, None]:
    """The header first (cells without blanks around them), then each row as {column: cell, "#line": …} or its fault.

    Empty lines are skipped. A file without a header gives nothing. Raises HeaderError.
    """
    text = dialect.text(file)
    try:
        yield from _rows(text, dialect)
    finally:
        text.detach()  # the file is its opener's to close


def _rows(text: io.TextIOWrapper, dialect: Dialect) -> Iterator[Row]:
    reader = csv.reader(text, delimiter=dialect.delimiter)
    header: list[str] = []
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield _fault(line, str(error), ())
            continue
        said = "".join(cells)
        if not said or said.isspace():
            continue
        if not header:
            header = _columns(cells)
            yield header
        elif len(cells) != len(header):
            yield _fault(line, f"has {len(cells)} cells, the header has {len(header)}", cells)
        elif not said.isascii() and _NO_TEXT.search(said):
            yield _fault(line, f"holds bytes that are no {dialect.encoding}", cells)
        else:
            row = dict(zip(header, cells, strict=True))
            row[LINE] = str(line)
            yield row


def _columns(cells: Sequence[str]) -> list[str]:
    header = [cell.strip() for cell in cells]
    if LINE in header:
        raise HeaderError(f"a column cannot be called {LINE!r}, which is what the line number is kept under")
    doubled = sorted({name for name in header if header.count(name) > 1})
    if doubled:
        raise HeaderError(f"columns stand twice in the header: {', '.join(doubled)}")
    return header


def _fault(line: int, reason: str, cells: Sequence[str]) -> Quarantined:
    shown = [cell.encode("utf-8", "replace").decode() for cell in cells]
    return Quarantined(key=f"line {line}", reason=f"line {line} {reason}", raw={LINE: str(line), "cells": shown})

"""Tables out of files: CSV, which needs nothing, and Parquet, which needs the extra `cshub[parquet]`.

A column comes as it lies in the file and is asked for as what it should be: `numbers`, `days`, `texts` or `codes`. What
cannot be read that way is refused with the column, an example and the columns there are. Missing is an empty cell or one of
the usual spellings; it becomes NaN, `NO_DAY` or an empty text.
"""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hub.errors import NotFoundError, RefusedError
from scoring.datasets import written
from scoring.evaluation import Flags, Integers
from scoring.facts import Floats

Texts = npt.NDArray[np.str_]

NO_DAY = int(np.iinfo(np.int64).min)
MISSING = frozenset({"", "na", "n/a", "nan", "null", "none", "?", "\\n", "nat"})
CHUNK = 100_000  # rows of a CSV file that are Python's texts at a time
LONGEST = 200  # letters of a cell: a column of texts is as wide as its longest, and nothing here is told by more
EPOCH = date(1970, 1, 1).toordinal()


@dataclass(frozen=True, slots=True)
class Table:
    """The columns of one file, all of one length; `name` is for messages."""

    name: str
    columns: Mapping[str, npt.NDArray[Any]]

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    def column(self, name: str) -> npt.NDArray[Any]:
        if name not in self.columns:
            raise NotFoundError(f"{self.name} has no column {name!r}; it has: {', '.join(self.columns)}")
        return self.columns[name]

    def find(self, given: str | None, usual: Sequence[str]) -> str | None:
        """The column `given`, which must exist, else the first of the `usual` names that does (in any case), else None."""
        if given is not None:
            self.column(given)
            return given
        by_lower = {name.lower(): name for name in self.columns}
        return next((by_lower[name] for name in usual if name in by_lower), None)

    def get(self, given: str | None, usual: Sequence[str], *, what: str, option: str) -> str:
        """As `find`, but the column must be there: `what` it is and the `option` that names it are for the message."""
        found = self.find(given, usual)
        if found is None:
            raise NotFoundError(
                f"{self.name} has no column that looks like {what} ({', '.join(usual)}); name it with {option}. "
                f"It has: {', '.join(self.columns)}"
            )
        return found

    def texts(self, name: str) -> Texts:
        """Stripped texts; missing ones are empty."""
        return _by_value(self.column(name), _text, np.str_)

    def numbers(self, name: str) -> Floats:
        """float64, NaN where missing; RefusedError where there is something that is no number."""
        found = self.numbers_or_none(name)
        if found is None:
            raise RefusedError(f"{self.name}: column {name!r} holds {self._example(name)!r}, which is no number")
        return found

    def numbers_or_none(self, name: str, *, share: float = 1.0) -> Floats | None:
        """The column as numbers; None where fewer than `share` of the filled cells are. What is no number, and what is
        infinite, counts as missing. Reads 1,234.50, 1.234,50, $5 and 5 % too."""
        values = self.column(name)
        if values.dtype.kind == "M":
            return None
        try:
            numbers = values.astype(np.float64)
        except ValueError:
            distinct, places, counts = np.unique(values, return_inverse=True, return_counts=True)
            texts = [_text(one) for one in distinct.tolist()]
            read = written.numbers({text for text in texts if text})
            is_number: Flags = np.array([text in read for text in texts])
            if counts[is_number].sum() < share * counts[[text != "" for text in texts]].sum():
                return None
            numbers = np.array([read.get(text, np.nan) for text in texts])[places]
        numbers[~np.isfinite(numbers)] = np.nan
        return numbers

    def days(self, name: str) -> Integers:
        """int64 ordinals (date.fromordinal), NO_DAY where missing. Times of day are cut off.

        Reads ISO dates and times, 20260131, 31-01-2026, 31.01.2026, 31-Jan-2026, 31/01/2026 or 01/31/2026 where the column
        leaves no doubt which, and seconds or milliseconds since 1970. RefusedError otherwise.
        """
        days = self.days_or_none(name, in_doubt=False)
        if days is None:
            raise RefusedError(
                f"{self.name}: column {name!r} holds {self._example(name, days=True)!r}; dates are read as 2026-01-31"
            )
        return days

    def days_or_none(self, name: str, *, in_doubt: bool) -> Integers | None:
        """As `days`, None where they are none; in_doubt: guess which of day and month comes first rather than refuse."""
        values = self.column(name)
        if values.dtype.kind == "M":
            days = values.astype("datetime64[D]")
            known = ~np.isnat(days)
            return np.where(known, days.astype(np.int64) + EPOCH, NO_DAY)
        if values.dtype.kind in "iuf" or (numbers := self.numbers_or_none(name)) is not None:
            numbers = self.numbers(name)
            if (epoch := _since_1970(numbers)) is not None:
                return epoch
        # a time behind the day would make every value a different one; a day shorter than ten letters needs all of them
        for cut in (values.astype("U10"), values):
            distinct, places = np.unique(cut, return_inverse=True)
            texts = [_text(one) for one in distinct.tolist()]
            readings = written.days({text for text in texts if text}) if any(texts) else []
            if len(readings) > 1 and not in_doubt:
                raise RefusedError(
                    f"{self.name}: column {name!r} may be day first or month first; write dates as 2026-01-31"
                )
            if readings:
                reading = written.likeliest(readings)
                return np.array([reading.get(text, NO_DAY) for text in texts], dtype=np.int64)[places]
        return None

    def codes(self, name: str) -> tuple[Texts, Integers]:
        """The distinct values as texts, in order, and which of them each row has; -1 where it has none."""
        values, places = np.unique(self.column(name), return_inverse=True)
        texts, merged = np.unique([_text(value) for value in values.tolist()], return_inverse=True)
        codes = merged.astype(np.int64)[places]
        return (texts[1:], codes - 1) if len(texts) and texts[0] == "" else (texts, codes)

    def _example(self, name: str, *, days: bool = False) -> str:
        texts = [text for one in np.unique(self.column(name)).tolist() if (text := _text(one))]
        read = () if days else written.numbers(texts)
        return next((text for text in texts if text not in read), "nothing")


def read(path: Path, *, separator: str = ",") -> Table:
    """The table in a .csv (or .txt, .tsv, .data …) or .parquet file; NotFoundError and RefusedError say what is wrong."""
    if not path.is_file():
        raise NotFoundError(f"there is no file {path}")
    columns = _read_parquet(path) if path.suffix == ".parquet" else _read_csv(path, separator)
    if not columns or not len(next(iter(columns.values()))):
        raise RefusedError(f"{path.name} holds no rows")
    return Table(path.name, columns)


def _read_csv(path: Path, separator: str) -> dict[str, npt.NDArray[Any]]:
    try:
        return _read_text(path, separator, "utf-8-sig")
    except UnicodeDecodeError:
        return _read_text(path, separator, "latin-1")  # older spreadsheets; every byte is a letter in it


def _read_text(path: Path, separator: str, encoding: str) -> dict[str, npt.NDArray[Any]]:
    with path.open(newline="", encoding=encoding) as file:
        rows = csv.reader(file, delimiter=separator)
        try:
            header = [name.strip() or f"column {place}" for place, name in enumerate(next(rows, []), 1)]
            if len(set(header)) < len(header):
                raise RefusedError(f"{path.name} names a column twice: {', '.join(header)}")
            if len(header) == 1 and any(other in header[0] for other in ";\t|,"):
                raise RefusedError(f"{path.name} has one column, {header[0]!r}; name what parts its columns with --sep")
            parts: list[list[Texts]] = [[] for _ in header]
            while chunk := list(islice(rows, CHUNK)):
                for part, cells in zip(parts, _cells(path, header, chunk), strict=False):
                    part.append(np.array([cell[:LONGEST] for cell in cells], dtype=np.str_))
        except csv.Error as error:
            raise RefusedError(f"{path.name} cannot be read as CSV: {error}") from error
    return {name: np.concatenate(part) for name, part in zip(header, parts, strict=True) if part}


def _cells(path: Path, header: Sequence[str], chunk: Sequence[Sequence[str]]) -> Iterator[tuple[str, ...]]:
    """The chunk by column; empty lines are none."""
    whole = [row for row in chunk if row]
    if wrong := next((row for row in whole if len(row) != len(header)), None):
        raise RefusedError(f"{path.name}: the header has {len(header)} columns, a row has {len(wrong)}: {wrong[:4]}")
    return zip(*whole, strict=True)


def _read_parquet(path: Path) -> dict[str, npt.NDArray[Any]]:
    try:
        import polars
    except ImportError as error:
        raise RefusedError(
            f"{path.name}: reading Parquet needs polars: pip install 'cshub[parquet]'. CSV is read without it"
        ) from error
    try:
        frame = polars.read_parquet(path, use_statistics=False)
    except (polars.exceptions.PolarsError, OSError) as error:
        raise RefusedError(f"{path.name} cannot be read as Parquet: {error}") from error
    columns: dict[str, npt.NDArray[Any]] = {}
    for series in frame.iter_columns():
        if series.dtype.is_numeric() or series.dtype.is_temporal():
            columns[series.name] = series.to_numpy()
        elif not series.dtype.is_nested():
            columns[series.name] = series.cast(polars.String).fill_null("").to_numpy().astype(np.str_)
    return columns


def _by_value(values: npt.NDArray[Any], read_one: Any, kind: Any) -> npt.NDArray[Any]:
    """Each distinct value is read once."""
    distinct, places = np.unique(values, return_inverse=True)
    return np.array([read_one(value) for value in distinct.tolist()], dtype=kind)[places]


def _text(value: Any) -> str:
    """A value as text; a whole number without decimals, whatever type its column had."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = str(value).strip()
    return "" if text.lower() in MISSING else text


def _since_1970(numbers: Floats) -> Integers | None:
    """Days of seconds or milliseconds since 1970; None where the numbers are too small to be either (20260131 is)."""
    known = ~np.isnan(numbers)
    least = numbers[known].min() if known.any() else 0.0
    if least < 1e8:
        return None
    seconds = numbers[known] / (1000 if least > 1e11 else 1)
    days = np.full(len(numbers), NO_DAY, dtype=np.int64)
    days[known] = (seconds // 86_400).astype(np.int64) + EPOCH
    return days

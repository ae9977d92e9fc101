"""Which formats and filesystems files come in, and what has to be installed for which: told before anything is read.

A location is a path, or a URL of any filesystem fsspec knows; some of these, and some formats, are packages of their own.
"""

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import PurePosixPath
from typing import Literal

import fsspec

Format = Literal["csv", "jsonl", "parquet", "avro"]
FORMATS: Mapping[str, Format] = {
    ".csv": "csv", ".tsv": "csv", ".txt": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "jsonl",
    ".parquet": "parquet", ".avro": "avro",
}  # fmt: skip
PACKED = (".gz", ".bz2", ".xz", ".zst")
SCHEMES = ("file", "ftp", "http", "https", "memory")
"""What needs nothing."""
EXTRAS = {
    "s3": "s3fs",
    "gs": "gcsfs",
    "gcs": "gcsfs",
    "abfs": "adlfs",
    "az": "adlfs",
    "sftp": "paramiko",
    "ssh": "paramiko",
}
READERS: Mapping[str, str] = {"parquet": "polars", "avro": "fastavro"}


def format_of(name: str) -> Format | None:
    """By the ending of a file's name, packed or not; None for one that names none."""
    path = PurePosixPath(name)
    suffix = PurePosixPath(path.stem).suffix if path.suffix in PACKED else path.suffix
    return FORMATS.get(suffix.lower())


def check_location(location: str) -> None:
    """ValueError for a scheme that no filesystem has, and where one, or what the ending names, needs what is not installed."""
    scheme, url, _ = location.partition("://")
    if url:
        try:
            fsspec.get_filesystem_class(scheme.partition("::")[0])
        except ValueError:
            known = ", ".join(sorted({*SCHEMES, *EXTRAS}))
            raise ValueError(f"no filesystem is named {scheme}://; there are {known}, and others of fsspec") from None
        except ImportError as error:
            raise ValueError(f"{scheme}:// {in_need(error, scheme)}") from None
    check_format(format_of(location))


def check_format(format_: Format | None) -> None:
    """ValueError where its reader is not installed."""
    reader = READERS.get(format_ or "")
    if reader is not None and find_spec(reader) is None:
        raise ValueError(f"{format_} needs {reader}, which is not installed: pip install {reader}")


def in_need(error: ImportError, scheme: str) -> str:
    """What a filesystem of `scheme`, or a format, said it lacks, with how to install it."""
    needed = EXTRAS.get(scheme) or error.name or str(error)
    return f"needs {needed}, which is not installed: pip install {needed}"

"""Archives a vendor sends, read without holding them: the members of a zip, each unpacked where it is gzipped itself.

The archive is a file on disk (see `connectors.kit.http.Client.download`). One that was cut short or damaged is a
BrokenBodyError, raised before anything of it is handed out where `complete` is asked first.
"""

import gzip
import zipfile
import zlib
from collections.abc import Iterator
from typing import IO

from connectors.kit.errors import BrokenBodyError

END_OF_ZIP = b"PK\x05\x06"


def complete(tail: bytes) -> bool:
    """Whether `tail`, the last 4 KB of a body, may be how a zip ends: with its directory. For `Client.download`'s `whole`."""
    return END_OF_ZIP in tail


def lines(file: IO[bytes], *, place: str) -> Iterator[bytes]:
    """The lines of all members of a zip, in the order of its directory; members named *.gz are unpacked on the way.

    place  where the archive came from, for the error
    """
    try:
        with zipfile.ZipFile(file) as archive:
            for member in archive.infolist():
                if member.is_dir():
                    continue
                with archive.open(member) as packed:
                    if member.filename.endswith(".gz"):
                        with gzip.open(packed) as plain:
                            yield from plain
                    else:
                        yield from packed
    except (zipfile.BadZipFile, gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise BrokenBodyError(f"{place} sent a damaged archive ({type(error).__name__})") from None

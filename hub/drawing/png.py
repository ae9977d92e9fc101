"""SVG into PNG, for mail and Slack, which show no SVG; letters are of a font that comes with a package.

No font of the machine is looked at: a server has often none, and then text would silently be missing; and the same SVG gives
the same picture everywhere.

Drawing holds the interpreter, some 30 ms a picture. Where there are many, processes of their own draw them, one a core: the
hub goes on meanwhile. Such a process reads what it is to draw until its standard input ends, and is over when it has drawn
that, or when nobody reads it any more; so it outlives nobody for long.
"""

import json
import logging
import os
import struct
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from importlib.resources import files

from resvg_py import svg_to_bytes

log = logging.getLogger(__name__)

FAMILY = "Roboto"
SCALE = 2.0
"""Pixels of a picture for each of its own, for screens that have two."""
MANY = 8
"""Fewer pictures are drawn at once: a process takes as long to start as two or three of them."""
MOST_PROCESSES = 4
WITHIN_SECONDS = 120.0
_LENGTH = struct.Struct(">I")
# as a file by itself, so that nothing else of the package is loaded first
_COMMAND = (sys.executable, "-P", __file__)


@cache
def _fonts() -> list[str]:
    folder = files("font_roboto") / "files"
    return [str(folder / name) for name in ("Roboto-Regular.ttf", "Roboto-Bold.ttf")]


def png(svg: str, *, scale: float = SCALE) -> bytes:
    """The picture, `scale` times as wide and high as the SVG says, on white."""
    made = svg_to_bytes(
        svg_string=svg,
        background="#ffffff",
        skip_system_fonts=True,
        font_files=_fonts(),
        font_family=FAMILY,
        sans_serif_family=FAMILY,
        zoom=scale,
    )
    return bytes(made)


def pngs(svgs: Sequence[str], *, largest: int) -> list[bytes]:
    """The pictures in their order, as large on the screen and as fine as `largest` bytes each allow. Blocks: not for a loop."""
    processes = min(os.cpu_count() or 1, MOST_PROCESSES)
    if len(svgs) < MANY or processes == 1:
        return [_fitting(svg, largest) for svg in svgs]
    drawn: list[bytes] = [b""] * len(svgs)
    with ThreadPoolExecutor(processes) as pool:
        parts = [svgs[first::processes] for first in range(processes)]
        for first, part in enumerate(pool.map(lambda part: _elsewhere(part, largest), parts)):
            drawn[first::processes] = part
    return drawn


def _fitting(svg: str, largest: int) -> bytes:
    made = png(svg)
    return made if len(made) <= largest else png(svg, scale=1.0)


def _elsewhere(svgs: Sequence[str], largest: int) -> list[bytes]:
    """Drawn by a process; by this one where that fails, for whatever reason."""
    asked = json.dumps({"largest": largest, "svgs": list(svgs)}).encode()
    try:
        done = subprocess.run(_COMMAND, input=asked, stdout=subprocess.PIPE, check=True, timeout=WITHIN_SECONDS)  # noqa: S603  ours
        return _frames(done.stdout, len(svgs))
    except (OSError, subprocess.SubprocessError, struct.error) as error:
        log.warning("pictures are drawn in this process, for one of its own failed: %s", error)
        return [_fitting(svg, largest) for svg in svgs]


def _frames(sent: bytes, many: int) -> list[bytes]:
    """`many` pictures, each after its length; struct.error where there are fewer."""
    found, place = [], 0
    for _ in range(many):
        (length,) = _LENGTH.unpack_from(sent, place)
        place += _LENGTH.size
        if len(sent) < place + length:
            raise struct.error("the last picture is not whole")
        found.append(sent[place : place + length])
        place += length
    return found


def main() -> None:
    """Draw what standard input asks for."""
    asked = json.loads(sys.stdin.buffer.read())
    for svg in asked["svgs"]:
        made = _fitting(svg, asked["largest"])
        sys.stdout.buffer.write(_LENGTH.pack(len(made)) + made)


if __name__ == "__main__":
    main()

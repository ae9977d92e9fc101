"""Pictures for mail and Slack: PNG of the size they should have, with something on them, and with letters on any machine."""

import re
import struct
import sys
import zlib

import numpy as np
import pytest
from numpy.typing import NDArray

from hub.drawing.pictures import Amount, Point, Stack, amounts, line, moves, stacked
from hub.drawing.png import MANY, png, pngs

Pixels = NDArray[np.uint8]
BANDS = {"critical": 3, "warning": 12, "stable": 20, "healthy": 50}
MADE = {
    "stacked": stacked([Stack(f"{day} Oct", BANDS) for day in range(1, 9)], title="Customers by health"),
    "amounts": amounts([Amount("critical", 12_000, "12,000"), Amount("healthy", 90_000, "90,000")], title="ARR"),
    "moves": moves([Amount("Acme & Söhne <b>", -0.4, "80 to 40"), Amount("Bolt", 0.1, "40 to 50")], title="Movers"),
    "line": line([Point("Jan", 10), Point("Feb", None), Point("Mar", 30), Point("Apr", 45)], title="NPS", goal=50),
}


def pixels(made: bytes) -> Pixels:
    """The picture as rows x columns x (red, green, blue, alpha): 8 bits each, as resvg writes them."""
    place, data = 8, b""
    wide = high = 0
    while place < len(made):
        (length,) = struct.unpack(">I", made[place : place + 4])
        kind, body = made[place + 4 : place + 8], made[place + 8 : place + 8 + length]
        if kind == b"IHDR":
            wide, high, depth, colour = struct.unpack(">IIBB", body[:10])
            assert (depth, colour) == (8, 6)
        data += body if kind == b"IDAT" else b""
        place += 12 + length
    raw = np.frombuffer(zlib.decompress(data), dtype=np.uint8).reshape(high, wide * 4 + 1)
    rows = np.zeros((high, wide * 4), dtype=np.uint8)
    for y in range(high):
        rows[y] = _unfiltered(int(raw[y, 0]), raw[y, 1:].copy(), rows[y - 1] if y else np.zeros(wide * 4, np.uint8))
    return rows.reshape(high, wide, 4)


def _unfiltered(kind: int, row: Pixels, above: Pixels) -> Pixels:
    if kind == 0:
        return row
    if kind == 2:
        return row + above
    made = row.astype(np.int64)
    up = above.astype(np.int64)
    for x in range(len(made)):
        left = made[x - 4] if x >= 4 else 0
        if kind == 1:
            guess = left
        elif kind == 3:
            guess = (left + up[x]) // 2
        else:
            corner = up[x - 4] if x >= 4 else 0
            near = left + up[x] - corner
            guess = min((left, up[x], corner), key=lambda each, near=near: abs(near - each))
        made[x] = (made[x] + guess) % 256
    return made.astype(np.uint8)


@pytest.mark.parametrize("name", MADE)
def test_a_picture_is_small_twice_as_wide_and_not_blank(name: str) -> None:
    made = png(MADE[name])
    assert len(made) <= 60_000
    wide, high = struct.unpack(">II", made[16:24])
    assert wide == 2 * 552
    assert high == 2 * int(MADE[name].split('height="')[1].split('"')[0])
    seen = pixels(png(MADE[name], scale=1.0))
    colours = {tuple(each) for each in seen.reshape(-1, 4)[::7]}
    assert len(colours) > 10
    assert (255, 255, 255, 255) in colours
    assert all(each[3] == 255 for each in colours), "on white, whatever is behind it"


@pytest.mark.parametrize("name", MADE)
def test_it_has_letters_without_a_font_of_the_machine(name: str) -> None:
    """The same picture without its texts has fewer pixels that are ink."""
    bare = re.sub(r"<text.*?</text>", "", MADE[name])
    with_letters, without = (pixels(png(svg, scale=1.0)) for svg in (MADE[name], bare))
    changed = int((with_letters != without).any(axis=2).sum())
    assert changed > 400


def test_a_name_is_text() -> None:
    assert "Acme &amp; Söhne &lt;b&gt;" in MADE["moves"]


def test_long_names_are_cut() -> None:
    assert "A very long name of a cus…" in moves([Amount("A very long name of a customer", 1.0, "")], title="x")


def test_nothing_is_drawn_of_nothing() -> None:
    assert png(line([], title="NPS")).startswith(b"\x89PNG")
    assert png(stacked([], title="Bands")).startswith(b"\x89PNG")


def test_the_same_numbers_give_the_same_bytes() -> None:
    assert png(MADE["stacked"]) == png(MADE["stacked"])


@pytest.mark.parametrize("command", [None, (sys.executable, "-c", "print('nothing like a picture')")])
def test_many_pictures_are_drawn_by_processes_and_are_the_same_in_their_order(
    command: tuple[str, ...] | None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Also where such a process fails; and what would be too large is drawn with fewer pixels."""
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    if command is not None:
        monkeypatch.setattr("hub.drawing.png._COMMAND", command)
    wanted = [*MADE.values()] * (MANY // len(MADE)) + [MADE["line"]]
    sizes = sorted(len(png(svg)) for svg in MADE.values())
    drawn = pngs(wanted, largest=sizes[-1] - 1)
    small = [png(svg, scale=1.0) if len(png(svg)) == sizes[-1] else png(svg) for svg in MADE.values()]
    assert drawn == small * (MANY // len(MADE)) + [small[list(MADE).index("line")]]
    assert ("failed" in caplog.text) is (command is not None)

"""A real browser, for what mail looks like: Chromium without a window, asked for measures and for pictures.

`measured(pages)`    {name: HTML} -> {name: what a script in the page found}, at the widths asked for, in one start
`pictured(page)`     the page as pixels, rows x columns x (red, green, blue)

Where there is no Chromium tests that need it are skipped, but not in CI: there its lack is a failure.
"""

import json
import os
import re
import shutil
import struct
import subprocess
import zlib
from collections.abc import Mapping, Sequence
from html import escape, unescape
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
SECONDS = 120

MEASURE = """
const seen = (frame) => {
  const page = frame.contentDocument, look = (node) => frame.contentWindow.getComputedStyle(node);
  const box = (node) => { const at = node.getBoundingClientRect(); return [at.left, at.top, at.width, at.height]; };
  const ground = (node) => {
    for (; node; node = node.parentElement) {
      const colour = look(node).backgroundColor;
      if (colour !== "rgba(0, 0, 0, 0)") return colour;
    }
    return "none";
  };
  const walker = page.createTreeWalker(page.body, NodeFilter.SHOW_TEXT);
  const words = [];
  while (walker.nextNode()) {
    const node = walker.currentNode.parentElement;
    if (walker.currentNode.data.trim() && node.getClientRects().length)
      words.push([look(node).color, ground(node), parseFloat(look(node).fontSize)]);
  }
  return {
    scroll: page.documentElement.scrollWidth,
    height: page.documentElement.scrollHeight,
    ground: look(page.body).backgroundColor,
    words: words,
    buttons: [...page.querySelectorAll("a.button")].map((node) => ({
      box: box(node), colour: look(node).color, ground: look(node).backgroundColor, text: node.textContent })),
    pictures: [...page.querySelectorAll("img")].map((node) => ({ box: box(node), natural: node.naturalWidth })),
    page: box(page.querySelector(".page")),
    numbers: [...page.querySelectorAll('td[style*="right"]')].map((node) => {
      const words = page.createRange(); words.selectNodeContents(node); return box(words); }),
    preheader: [...page.querySelectorAll(".preheader")].map(box),
  };
};
window.onload = () => {
  const found = {};
  for (const frame of document.querySelectorAll("iframe")) found[frame.title] = seen(frame);
  document.querySelector("pre").textContent = JSON.stringify(found);
};
"""


def browser() -> str:
    """Its path; without one the test is skipped, in CI it fails."""
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None:
        why = f"there is no Chromium here (one of {', '.join(NAMES)}), and what mail looks like needs a real browser"
        if os.environ.get("CI") == "true":
            pytest.fail(why)
        pytest.skip(why)
    return found


def measured(pages: Mapping[str, str], *, widths: Sequence[int], folder: Path) -> dict[tuple[str, int], dict[str, Any]]:
    frames = "".join(
        f'<iframe title="{escape(name)}@{width}" width="{width}" height="600" style="border: 0"'
        f' srcdoc="{escape(page)}"></iframe>'
        for name, page in pages.items()
        for width in widths
    )
    source = folder / "measure.html"
    source.write_text(
        f"<!doctype html><meta charset=utf-8>{frames}<pre></pre><script>{MEASURE}</script>", encoding="utf-8"
    )
    said = _run(folder, "--dump-dom", "--virtual-time-budget=10000", source.as_uri()).decode("utf-8")
    found = re.search(r"<pre>(.*?)</pre>", said, re.DOTALL)
    assert found is not None, "the page was not loaded"
    assert found[1], "the script did not run"
    measures = json.loads(unescape(found[1]))
    return {(title.rpartition("@")[0], int(title.rpartition("@")[2])): each for title, each in measures.items()}


def pictured(page: str, *, width: int, height: int, file: Path, folder: Path) -> NDArray[np.uint8]:
    """Also kept as `file`, for people."""
    source = folder / "picture.html"
    source.write_text(page, encoding="utf-8")
    _run(folder, f"--window-size={width},{height}", f"--screenshot={file.absolute()}", source.as_uri())
    return pixels(file.read_bytes())


def pixels(png: bytes) -> NDArray[np.uint8]:
    """A PNG of eight bits a channel and no interlacing, as browsers write them."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    width, height, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", png[16:29])
    assert (depth, interlaced) == (8, 0)
    channels = {2: 3, 6: 4}[colour]
    packed, at = b"", 8
    while at < len(png):
        length, kind = struct.unpack(">I4s", png[at : at + 8])
        packed += png[at + 8 : at + 8 + length] if kind == b"IDAT" else b""
        at += length + 12
    raw = np.frombuffer(zlib.decompress(packed), np.uint8).reshape(height, width * channels + 1)
    made = np.zeros((height, width * channels), np.int32)
    above = np.zeros(width * channels, np.int32)
    for number, line in enumerate(raw):
        row = line[1:].astype(np.int32)
        kind = int(line[0])
        if kind == 2:
            row = (row + above) % 256
        elif kind:  # against the pixel to the left, one after another
            for n in range(width * channels):
                left, corner = (int(row[n - channels]), int(above[n - channels])) if n >= channels else (0, 0)
                row[n] = (int(row[n]) + _guess(kind, left, int(above[n]), corner)) % 256
        made[number] = above = row
    return made.reshape(height, width, channels)[:, :, :3].astype(np.uint8)


def _guess(kind: int, left: int, above: int, corner: int) -> int:
    """PNG's filters 1, 3 and 4."""
    if kind == 1:
        return left
    if kind == 3:
        return (left + above) // 2
    whole = left + above - corner
    return min((left, above, corner), key=lambda each: abs(whole - each))


def _run(folder: Path, *arguments: str) -> bytes:
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--disable-dev-shm-usage"]
    where = f"--user-data-dir={folder / 'profile'}"
    done = subprocess.run([browser(), *options, where, *arguments], check=True, capture_output=True, timeout=SECONDS)
    return done.stdout


def contrast(one: str, other: str) -> float:
    """Of two colours such as rgb(0, 0, 0): 1 to 21, as WCAG 2 computes it."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue

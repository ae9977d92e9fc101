"""What mail looks like, in a real browser: plain, legible, as wide as it should be on a desk and on a phone.

Properties, not fonts: widths, colours, contrast. The pictures are kept in .artifacts/mail for people to look at.
"""

import base64
import re
import struct
import zlib
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hub.delivery import Renderer
from hub.playbooks import load_all
from hub.playbooks.previewing import preview
from hub.resources import CONFIG, ROOT, TEMPLATES
from tests.fakes.browser import contrast, measured, pictured

ARTIFACTS = ROOT / ".artifacts" / "mail"
ACCENT, WHITE = "rgb(47, 91, 216)", "rgb(255, 255, 255)"
WIDTHS = (320, 600, 1200)
NOW = datetime(2026, 11, 22, tzinfo=UTC)

SPECIMEN = """subject: Everything a mail can hold
preheader: A line for the list of mails
audience: customer
---
# The month of {{ name }}

## In short

A paragraph with **bold**, *slanted*, `code` and [a link]({{ link }}), long enough to be wrapped on any screen there is.

| Measure | Now | Before |
|---|---:|---:|
| Health of all customers of the whole company | 71 | 68 |
| {{ name }} | 1 | 2 |

![Health over time](chart:health)

1. First
2. Second
   - inner

> What somebody said.

[Open the report]({{ link }})

---

Small print about where the numbers come from.
"""


def png(width: int, height: int) -> str:
    """A picture all green."""
    rows = b"".join(b"\0" + b"\x10\x80\x40" * width for _ in range(height))

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    whole = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return base64.b64encode(whole).decode()


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """{name: HTML} of every mail that ships, of a customer with a long name, and of one that holds everything."""
    folder = load_all(CONFIG / "playbooks", templates=TEMPLATES)
    used = {
        step.settings.template
        for playbook in folder.playbooks.values()
        for step in playbook.steps
        if step.action == "email"
    }
    made: dict[str, Any] = {
        name: preview(
            folder.renderer,
            name,
            folder.playbooks.values(),
            situation=None,
            company="Northbeam",
            hub_url="https://hub.example",
            now=NOW,
        )
        for name in sorted(used)
    }
    own = tmp_path_factory.mktemp("templates")
    (own / "email").mkdir()
    (own / "email" / "specimen.md").write_text(SPECIMEN, encoding="utf-8")
    context = {
        "name": "A" + "verylongname" * 12,
        "link": "https://hub.example/" + "x" * 200,
        "company": "Northbeam",
        "charts": {"health": png(1104, 300)},
    }
    made["specimen"] = Renderer(own).email("specimen", context)
    return {name: whole(each.payload) for name, each in made.items()}


def whole(payload: Any) -> str:
    page = str(payload["html"])
    for each in payload.get("attachments", ()):
        page = page.replace(f'"cid:{each["name"]}"', f'"data:image/png;base64,{each["content"]}"')
    return page


@pytest.fixture(scope="module")
def seen(pages: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, int], dict[str, Any]]:
    return measured(pages, widths=WIDTHS, folder=tmp_path_factory.mktemp("browser"))


def test_no_screen_has_to_be_scrolled_sideways(seen: dict[tuple[str, int], dict[str, Any]]) -> None:
    assert len(seen) >= 3 * 4
    assert {key: each["scroll"] for key, each in seen.items() if each["scroll"] > key[1]} == {}
    widths = {(key[1], each["page"][2]) for key, each in seen.items()}
    assert widths == {(320, 320), (600, 600), (1200, 600)}, "as wide as the screen, and never wider than 600"
    assert {each["page"][0] for key, each in seen.items() if key[1] == 1200} == {300}, "in the middle"


def test_dark_words_on_white(seen: dict[tuple[str, int], dict[str, Any]]) -> None:
    assert {each["ground"] for each in seen.values()} == {WHITE}
    for key, each in seen.items():
        assert len(each["words"]) > 5, key
        for colour, ground, size in each["words"]:
            assert (contrast(colour, ground) >= 4.5, size >= 12) == (True, True), (key, colour, ground, size)


def test_every_button_is_one(seen: dict[tuple[str, int], dict[str, Any]]) -> None:
    buttons = [(key, button) for key, each in seen.items() for button in each["buttons"]]
    assert {key[0] for key, _ in buttons} >= {"churn_save", "nps_detractor", "specimen"}
    for key, button in buttons:
        assert (button["colour"], button["ground"]) == (WHITE, ACCENT), key
        _, _, width, height = button["box"]
        assert (height >= 36, width <= key[1]) == (True, True), f"large enough for a thumb: {key}, {button}"


def test_charts_fill_the_column(seen: dict[tuple[str, int], dict[str, Any]]) -> None:
    found = {width: seen["specimen", width]["pictures"] for width in WIDTHS}
    assert [[picture["natural"] for picture in found[width]] for width in WIDTHS] == [[1104]] * 3
    assert [found[width][0]["box"][2] for width in WIDTHS] == [272, 552, 552]
    assert [round(found[width][0]["box"][3]) for width in WIDTHS] == [74, 150, 150], "and keep their shape"


def test_numbers_are_not_torn_apart(seen: dict[tuple[str, int], dict[str, Any]]) -> None:
    for width in WIDTHS:
        heights = [height for _, _, _, height in seen["specimen", width]["numbers"]]
        assert len(heights) == 4
        lines = [round(height / 21) for height in heights]  # of 15 px, 1.4 high
        assert lines == [1, 1, 1, 1], "what stands above and below of them is no line of theirs"


def test_the_preheader_takes_no_room(seen: dict[tuple[str, int], dict[str, Any]]) -> None:
    for box in seen["specimen", 600]["preheader"]:
        assert box[2:] == [0, 0]
    assert len(seen["specimen", 600]["preheader"]) == 1


@pytest.mark.parametrize("name", ["specimen", "churn_save"])
def test_pictures(
    pages: dict[str, str], seen: dict[tuple[str, int], dict[str, Any]], name: str, tmp_path: Path
) -> None:
    """Of what was painted: white around, the button where it should be, and something written."""
    ARTIFACTS.mkdir(parents=True, exist_ok=True)
    measures = seen[name, 600]
    height = int(measures["height"])
    image = pictured(pages[name], width=600, height=height, file=ARTIFACTS / f"{name}.png", folder=tmp_path)
    assert image.shape == (height, 600, 3)
    assert (image[:, :20] == 255).all(), "the left margin"
    assert (image[:, -20:] == 255).all(), "the right margin"
    assert ((image < 128).all(axis=2)).sum() > 1_000, "something is written"
    left, top, width, tall = (round(each) for each in measures["buttons"][0]["box"])
    button = image[top + 2 : top + tall - 2, left + 3 : left + width - 3]
    accent = (button == np.array([47, 91, 216])).all(axis=2).mean()
    assert 0.5 < accent < 1, "the accent, and words on it"


class _Tags(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def test_the_html_stands_on_its_own(pages: dict[str, str]) -> None:
    for name, page in pages.items():
        tags = _Tags(page).tags
        assert page.lower().startswith("<!doctype html>"), name
        assert next(values for tag, values in tags if tag == "html")["lang"] == "en"
        assert re.search(r"<title>[^<]+</title>", page), name
        assert not {tag for tag, _ in tags} & {"style", "link", "script", "iframe", "form", "object", "base"}, name
        for tag, values in tags:
            if tag in ("td", "th", "p", "a", "li", "h1", "h2", "h3", "img"):
                assert values.get("style"), f"{name}: <{tag}> has no style of its own"
            assert not {key for key in values if key.startswith("on")}, name
            if tag == "img":
                assert (values.get("src") or "").startswith("data:"), f"{name}: only what comes with it"
                assert values.get("alt"), name
        assert not re.search(r"url\(|@import|https?://[^\"]*\.(css|js|png|gif)", page), name

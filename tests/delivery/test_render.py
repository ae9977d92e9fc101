"""Templates: rendered value by value, escaped for where they go, strict about names."""

import json
from pathlib import Path
from typing import Any

import pytest

from hub.delivery import Renderer, RenderError
from hub.delivery.render_slack import MAX_BLOCKS, escape_slack, shorten

HOSTILE = '"}],"text":"x <!channel> <https://evil.example|click> & {{ 7 * 7 }} \u2028 \\'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "slack").mkdir()
    (tmp_path / "email").mkdir()
    return tmp_path


def slack(folder: Path, text: str, context: dict[str, Any]) -> Any:
    (folder / "slack" / "note.yaml").write_text(text, encoding="utf-8")
    return Renderer(folder).slack("note", context).payload


NOTE = """
text: "{{ name }} is at risk"
blocks:
  - type: header
    text: {type: plain_text, text: "{{ name }}"}
  - if: reasons
    type: section
    text: {type: mrkdwn, text: "{% for reason in reasons %}* {{ reason }}\\n{% endfor %}"}
  - type: actions
    elements:
      - {type: button, text: {type: plain_text, text: Open}, url: "{{ link }}"}
"""


def test_exactly(folder: Path) -> None:
    made = slack(folder, NOTE, {"name": "Acme", "reasons": ["a < b", "c"], "link": "https://h/?a=1&b=2"})
    assert made == {
        "text": "Acme is at risk",
        "blocks": [
            {"type": "header", "text": {"type": "plain_text", "text": "Acme"}},
            {"type": "section", "text": {"type": "mrkdwn", "text": "* a &lt; b\n* c"}},
            {
                "type": "actions",
                "elements": [
                    {
                        "type": "button",
                        "text": {"type": "plain_text", "text": "Open"},
                        "url": "https://h/?a=1&b=2",
                    }
                ],
            },
        ],
    }


def test_no_name_can_break_the_structure_or_call_anybody(folder: Path) -> None:
    made = slack(folder, NOTE, {"name": HOSTILE, "reasons": [], "link": "https://h"})
    assert made["text"] == escape_slack(HOSTILE) + " is at risk"
    assert "<" not in made["text"]
    assert "{{ 7 * 7 }}" in made["text"], "a value is never a template"
    assert [block["type"] for block in made["blocks"]] == ["header", "actions"], "and `if` left the reasons out"
    assert json.loads(json.dumps(made)) == made


def test_a_blank_that_nobody_filled_is_an_error(folder: Path) -> None:
    with pytest.raises(RenderError, match=r"note.yaml: text: 'name' is undefined"):
        slack(folder, NOTE, {"reasons": [], "link": ""})
    with pytest.raises(RenderError, match=r"blocks.1.if: 'reasons' is undefined"):
        slack(folder, NOTE, {"name": "x", "link": ""})


@pytest.mark.parametrize(
    "source",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ name.__init__.__globals__ }}",
        "{{ reasons.append('x') }}",
        "{{ range(10) }}",
        "{{ 1 / 0 }}",
        "{{ name + 1 }}",
        "{% if %}",
        "{{ unknown_filter | nope }}",
    ],
)
def test_templates_are_caged(folder: Path, source: str) -> None:
    with pytest.raises(RenderError):
        Renderer(folder).line(source, {"name": "x", "reasons": ["y"]})


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("blocks: []", "must have `text` and `blocks`"),
        ("text: ''\nblocks: [{type: divider}]", "`text` is empty"),
        ("text: x\nblocks: []", "must be a list of 1 to 50"),
        ("text: x\nblocks: [" + ", ".join(["{type: divider}"] * (MAX_BLOCKS + 1)) + "]", "must be a list of 1 to 50"),
        ("text: x\nblocks: [", "is not valid YAML"),
    ],
)
def test_what_slack_would_refuse_is_refused_here(folder: Path, text: str, reason: str) -> None:
    with pytest.raises(RenderError, match=reason):
        slack(folder, text, {})


def test_templates_that_are_not_there(folder: Path) -> None:
    renderer = Renderer(folder)
    with pytest.raises(RenderError, match="no such file"):
        renderer.slack("nope", {})
    with pytest.raises(RenderError, match=r"there is no templates/email/nope\.md; there are: none"):
        renderer.email("nope", {})
    assert renderer.templates("slack") == renderer.templates("email") == ()


def test_texts_are_cut_to_what_slack_takes(folder: Path) -> None:
    made = slack(folder, NOTE, {"name": "&" * 100, "reasons": ["r" * 5_000], "link": "https://h"})
    header = made["blocks"][0]["text"]["text"]
    assert (len(header) <= 150, header[-6:]) == (True, "&amp;…")
    assert len(made["blocks"][1]["text"]["text"]) == 3_000


@pytest.mark.parametrize(
    ("text", "limit", "expected"),
    [("short", 5, "short"), ("longer", 5, "long…"), ("a &amp; b", 5, "a…"), ("a <u|label> b", 9, "a…")],
)
def test_shorten(text: str, limit: int, expected: str) -> None:
    assert shorten(text, limit) == expected


def test_line(folder: Path) -> None:
    assert Renderer(folder).line("Call {{ name }}", {"name": "A\nB"}) == "Call A B"

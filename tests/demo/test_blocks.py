"""What Slack refuses about blocks, and where it says the fault is."""

from typing import Any

import pytest

from hub.demo.blocks import complaints


def text(content: str, kind: str = "mrkdwn") -> dict[str, str]:
    return {"type": kind, "text": content}


GOOD: list[dict[str, Any]] = [
    {"type": "header", "text": text("x" * 150, "plain_text")},
    {"type": "section", "text": text("y" * 3_000)},
    {"type": "section", "fields": [text("z" * 2_000)] * 10},
    {"type": "divider"},
    {"type": "context", "elements": [text("c"), {"type": "image", "image_url": "https://x", "alt_text": "x"}]},
    {"type": "actions", "elements": [{"type": "button", "text": text("Go", "plain_text"), "url": "https://x"}]},
]


def test_good_blocks_are_taken() -> None:
    assert complaints(GOOD) == []
    assert complaints([]) == []
    assert complaints([{"type": "divider"}] * 50) == []


@pytest.mark.parametrize(
    ("block", "complaint"),
    [
        ({"type": "banner"}, "[ERROR] unsupported type: banner [json-pointer:/blocks/0/type]"),
        ("text", "[ERROR] must be an object [json-pointer:/blocks/0]"),
        (
            {"type": "header", "text": text("x" * 151, "plain_text")},
            "[ERROR] must be less than 151 characters [json-pointer:/blocks/0/text/text]",
        ),
        (
            {"type": "header", "text": text("x")},
            "[ERROR] must be one of: plain_text [json-pointer:/blocks/0/text/type]",
        ),
        ({"type": "section"}, "[ERROR] missing required field: text or fields [json-pointer:/blocks/0]"),
        (
            {"type": "section", "text": text("")},
            "[ERROR] must be more than 0 characters [json-pointer:/blocks/0/text/text]",
        ),
        (
            {"type": "section", "fields": [text("x")] * 11},
            "[ERROR] no more than 10 items allowed [json-pointer:/blocks/0/fields]",
        ),
        (
            {"type": "section", "fields": [text("x"), text("y" * 2_001)]},
            "[ERROR] must be less than 2001 characters [json-pointer:/blocks/0/fields/1/text]",
        ),
        ({"type": "actions", "elements": []}, "[ERROR] must provide at least 1 item [json-pointer:/blocks/0/elements]"),
        (
            {"type": "actions", "elements": [{"type": "button", "text": text("x" * 76, "plain_text")}]},
            "[ERROR] must be less than 76 characters [json-pointer:/blocks/0/elements/0/text/text]",
        ),
        (
            {"type": "actions", "elements": [{"type": "lever"}]},
            "[ERROR] unsupported element [json-pointer:/blocks/0/elements/0]",
        ),
    ],
)
def test_bad_blocks_are_refused(block: Any, complaint: str) -> None:
    assert complaints([block]) == [complaint]


def test_too_many_blocks() -> None:
    assert complaints([{"type": "divider"}] * 51) == ["[ERROR] no more than 50 items allowed [json-pointer:/blocks]"]
    assert complaints("x") == ["[ERROR] must be an array [json-pointer:/blocks]"]

"""Slack's rules about blocks, as far as messages use them: what `chat.postMessage` refuses with `invalid_blocks`.

A complaint reads as Slack's do: what is wrong, and a JSON pointer to where.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

MOST_BLOCKS, MOST_HOME_BLOCKS = 50, 100
MOST_TEXT = 40_000
TYPES = ("actions", "context", "divider", "header", "image", "markdown", "rich_text", "section", "video")
ELEMENTS = ("button", "static_select", "users_select", "overflow", "datepicker", "checkboxes", "radio_buttons", "image")


def complaints(blocks: object, *, files: Collection[str] = (), most: int = MOST_BLOCKS) -> list[str]:
    """Everything wrong with `blocks`; empty where Slack would take them. `files`: those that were uploaded."""
    if not isinstance(blocks, list):
        return ["[ERROR] must be an array [json-pointer:/blocks]"]
    if len(blocks) > most:
        return [f"[ERROR] no more than {most} items allowed [json-pointer:/blocks]"]
    ids = [block["block_id"] for block in blocks if isinstance(block, Mapping) and block.get("block_id")]
    if twice := next((each for each in ids if ids.count(each) > 1), None):
        return [f"[ERROR] block_id already exists: {twice} [json-pointer:/blocks]"]
    shown = [block["slack_file"] for block in blocks if isinstance(block, Mapping) and block.get("slack_file")]
    if any(not isinstance(each, Mapping) or each.get("id") not in files for each in shown):
        return ["[ERROR] invalid slack file [json-pointer:/blocks]"]
    return [
        f"[ERROR] {message} [json-pointer:/blocks/{index}{where}]"
        for index, block in enumerate(blocks)
        for message, where in _block(block)
    ]


def _block(block: object) -> Iterator[tuple[str, str]]:
    if not isinstance(block, Mapping):
        yield "must be an object", ""
        return
    kind = block.get("type")
    if kind not in TYPES:
        yield f"unsupported type: {kind}", "/type"
        return
    if len(str(block.get("block_id", ""))) > 255:
        yield "must be less than 256 characters", "/block_id"
    if kind == "header":
        yield from _text(block.get("text"), "/text", most=150, types=("plain_text",))
    elif kind == "section":
        yield from _section(block)
    elif kind == "context":
        yield from _several(block.get("elements"), "/elements", most=10, each=_context_element)
    elif kind == "actions":
        yield from _several(block.get("elements"), "/elements", most=25, each=_action)
        names = [each.get("action_id") for each in block.get("elements") or () if isinstance(each, Mapping)]
        if len({each for each in names if each}) < len([each for each in names if each]):
            yield "action_id must be unique within a block", "/elements"
    elif kind == "image":
        if not block.get("alt_text"):
            yield "missing required field: alt_text", ""
        if not block.get("image_url") and not block.get("slack_file"):
            yield "missing required field: image_url", ""


def _section(block: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if block.get("text") is None and not block.get("fields"):
        yield "missing required field: text or fields", ""
    if block.get("text") is not None:
        yield from _text(block["text"], "/text", most=3_000)
    if block.get("fields") is not None:
        yield from _several(
            block["fields"], "/fields", most=10, each=lambda field, where: _text(field, where, most=2_000)
        )
    if block.get("accessory") is not None:
        yield from _action(block["accessory"], "/accessory")


def _text(
    text: object, where: str, *, most: int, types: tuple[str, ...] = ("plain_text", "mrkdwn")
) -> Iterator[tuple[str, str]]:
    if not isinstance(text, Mapping):
        yield "missing required field: text", where
        return
    if text.get("type") not in types:
        yield f"must be one of: {', '.join(types)}", f"{where}/type"
    content = text.get("text")
    if not isinstance(content, str) or not content:
        yield "must be more than 0 characters", f"{where}/text"
    elif len(content) > most:
        yield f"must be less than {most + 1} characters", f"{where}/text"


def _several(items: object, where: str, *, most: int, each: Any) -> Iterator[tuple[str, str]]:
    if not isinstance(items, list) or not items:
        yield "must provide at least 1 item", where
        return
    if len(items) > most:
        yield f"no more than {most} items allowed", where
        return
    for index, item in enumerate(items):
        yield from each(item, f"{where}/{index}")


def _context_element(element: object, where: str) -> Iterator[tuple[str, str]]:
    if isinstance(element, Mapping) and element.get("type") == "image":
        return
    yield from _text(element, where, most=2_000)


def _action(element: object, where: str) -> Iterator[tuple[str, str]]:
    if not isinstance(element, Mapping) or element.get("type") not in ELEMENTS:
        yield "unsupported element", where
        return
    if element["type"] == "button":
        yield from _text(element.get("text"), f"{where}/text", most=75, types=("plain_text",))
        for name, most in (("value", 2_000), ("url", 3_000), ("action_id", 255)):
            if len(str(element.get(name, ""))) > most:
                yield f"must be less than {most + 1} characters", f"{where}/{name}"
    if element["type"] in ("static_select", "overflow"):
        yield from _several(element.get("options"), f"{where}/options", most=100, each=_option)
    if element["type"] in ("static_select", "users_select"):
        yield from _text(element.get("placeholder"), f"{where}/placeholder", most=150, types=("plain_text",))


def _option(option: object, where: str) -> Iterator[tuple[str, str]]:
    if not isinstance(option, Mapping):
        yield "must be an object", where
        return
    yield from _text(option.get("text"), f"{where}/text", most=75)
    if not 0 < len(str(option.get("value", ""))) <= 150:
        yield "must be less than 151 characters", f"{where}/value"

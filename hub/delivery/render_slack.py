"""Slack's templates into Block Kit: templates/slack/<name>.yaml, in which every text is a template of its own.

They are rendered value by value inside the parsed structure, never as one text, so no customer's name can break the JSON
or add a block. A mapping in a list may carry `if: <expression>` and is left out where that is false. In texts the three
characters &, < and > are escaped, so that a customer called <!channel> calls nobody.

Beside `text` and `blocks` a template may list `buttons` (hub.delivery.buttons): the blocks they stand in, and what they do,
are made when the message is sent, from how things are then.
"""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Template
from jinja2.sandbox import ImmutableSandboxedEnvironment

from hub.delivery.buttons import BUTTONS
from hub.delivery.templating import DASH, FAULTS, Context, Rendered, RenderError, environment, shown, why
from hub.documents import Document
from hub.errors import ConfigError

MAX_BLOCKS = 50
FOR_BUTTONS = 2
"""Blocks beside the template's: how things stand, and the buttons."""
MAX_TEXT = 4_000
# the longest text Slack takes, by the type of the thing it stands in
LIMITS: Mapping[str, int] = {"header": 150, "button": 75, "section": 3_000, "fields": 2_000, "context": 2_000}
RAW_KEYS = frozenset({"url", "image_url"})  # no text for people: Slack takes them as they are


class SlackTemplates:
    """The templates of one folder. They are read once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._plain = environment(shown)
        self._slack = environment(lambda value: DASH if value is None else escape_slack(str(value)))
        self._compiled: dict[tuple[int, str], Template] = {}
        self._document = cache(self._read)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(sorted(path.stem for path in self._folder.glob("*.yaml")))

    def render(self, name: str, context: Context) -> Rendered:
        """Template `name` with `context`; raise RenderError."""
        where = f"templates/slack/{name}.yaml"
        document = self._document(name)
        parts = set(document.value) if isinstance(document.value, Mapping) else set()
        if not {"text", "blocks"} <= parts <= {"text", "blocks", "buttons"}:
            raise RenderError(f"{where}: must have `text` and `blocks`, may have `buttons`, and nothing else")
        text = self._value(document.value["text"], context, "text", where, ("text",))
        blocks = self._value(document.value["blocks"], context, "", where, ("blocks",))
        if not isinstance(text, str) or not text.strip(DASH + " "):
            raise RenderError(f"{where}: `text` is empty; it is what notifications show")
        if not isinstance(blocks, list) or not 0 < len(blocks) <= MAX_BLOCKS:
            raise RenderError(f"{where}: `blocks` must be a list of 1 to {MAX_BLOCKS}")
        buttons = document.value.get("buttons", [])
        if buttons and len(blocks) > MAX_BLOCKS - FOR_BUTTONS:
            raise RenderError(f"{where}: with buttons, `blocks` must be at most {MAX_BLOCKS - FOR_BUTTONS}")
        if not isinstance(buttons, list) or not set(map(str, buttons)) <= set(BUTTONS):
            raise RenderError(f"{where}: `buttons` must be a list of: {', '.join(BUTTONS)}")
        payload = {"text": text, "blocks": blocks}
        return Rendered(payload=payload | {"buttons": list(dict.fromkeys(buttons))} if buttons else payload)

    def line(self, source: str, context: Context) -> str:
        """One line of text from a template given in place, such as a task's title."""
        return " ".join(self._leaf(self._plain, source, context, repr(source)).split())

    def _read(self, name: str) -> Document:
        path = self._folder / f"{name}.yaml"
        try:
            return Document.read(path, name=f"templates/slack/{name}.yaml")
        except ConfigError as error:
            raise RenderError(str(error)) from None

    def _value(self, value: Any, context: Context, kind: str, where: str, key: tuple[str | int, ...]) -> Any:
        """`value` with every text in it rendered. `kind` is the type of the nearest thing with a limit of its own."""
        if isinstance(value, Mapping):
            kind = value["type"] if value.get("type") in LIMITS else kind
            return {
                name: self._raw(inner, context, where, (*key, name))
                if name in RAW_KEYS
                else self._value(inner, context, name if name in LIMITS else kind, where, (*key, name))
                for name, inner in value.items()
                if name != "if"
            }
        if isinstance(value, list):
            return [
                self._value(item, context, kind, where, (*key, index))
                for index, item in enumerate(value)
                if not isinstance(item, Mapping) or self._wanted(item, context, where, (*key, index, "if"))
            ]
        if not isinstance(value, str):
            return value
        text = self._leaf(self._slack, value, context, f"{where}: {_dotted(key)}").strip()
        return shorten(" ".join(text.split()) if kind == "header" else text or DASH, LIMITS.get(kind, MAX_TEXT))

    def _raw(self, value: Any, context: Context, where: str, key: tuple[str | int, ...]) -> str:
        return self._leaf(self._plain, str(value), context, f"{where}: {_dotted(key)}")

    def _wanted(self, item: Mapping[str, Any], context: Context, where: str, key: tuple[str | int, ...]) -> bool:
        if "if" not in item:
            return True
        try:
            return bool(self._plain.compile_expression(str(item["if"]), undefined_to_none=False)(**context))
        except FAULTS as error:
            raise RenderError(f"{where}: {_dotted(key)}: {why(error)}") from None

    def _leaf(self, environment: ImmutableSandboxedEnvironment, source: str, context: Context, where: str) -> str:
        try:
            key = (id(environment), source)
            if key not in self._compiled:
                self._compiled[key] = environment.from_string(source)
            return self._compiled[key].render(context)
        except FAULTS as error:
            raise RenderError(f"{where}: {why(error)}") from None


def escape_slack(text: str) -> str:
    """`text` as Slack shows it: the three characters that begin mentions, links and entities are escaped."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def shorten(text: str, limit: int) -> str:
    """`text` in at most `limit` characters, never cut within an entity or a link."""
    if len(text) <= limit:
        return text
    return re.sub(r"(&[a-z]{0,3}|<[^>]*)$", "", text[: limit - 1]).rstrip() + "…"


def _dotted(key: tuple[str | int, ...]) -> str:
    return ".".join(map(str, key))

"""Templates into payloads: what a message says, made before anything is saved or sent.

    templates/slack/<name>.yaml                        Block Kit as YAML; every text in it is a template of its own
    templates/email/<name>/{subject.txt,body.txt,body.html}

Slack templates are rendered value by value inside the parsed structure, never as one text, so no customer's name can break
the JSON or add a block. A mapping in a list may carry `if: <expression>` and is left out where that is false.

Templates are sandboxed and strict: a name that isn't there is an error, not a blank. A value that is None shows as a dash.
Values are escaped for where they go: HTML in body.html; &, < and > in Slack's texts, so that a customer called <!channel>
calls nobody.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import FileSystemLoader, StrictUndefined, Template, TemplateError, TemplateNotFound
from jinja2.sandbox import ImmutableSandboxedEnvironment

from hub.documents import Document
from hub.errors import ConfigError, CshubError

DASH = "\u2013"
EMAIL_PARTS = ("subject.txt", "body.txt", "body.html")
MAX_BLOCKS = 50
MAX_TEXT = 4_000
# the longest text Slack takes, by the type of the thing it stands in
LIMITS: Mapping[str, int] = {"header": 150, "button": 75, "section": 3_000, "fields": 2_000, "context": 2_000}
RAW_KEYS = frozenset({"url", "image_url"})  # no text for people: Slack takes them as they are

Context = Mapping[str, Any]


class RenderError(CshubError):
    """A template that cannot be rendered: which one, and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """subject where the channel has one; payload exactly as the channel will send it."""

    subject: str | None = None
    payload: Mapping[str, Any] = field(default_factory=dict)


class Renderer:
    """Renders the templates of one folder. Templates are read once."""

    def __init__(self, folder: Path) -> None:
        self._slack_folder = folder / "slack"
        self._email_folder = folder / "email"
        self._plain = _environment(str, loader=FileSystemLoader(self._email_folder))
        self._html = _environment(str, loader=FileSystemLoader(self._email_folder), autoescape=True)
        self._slack = _environment(escape_slack)
        self._compiled: dict[tuple[int, str], Template] = {}
        self._document = cache(self._read)

    def templates(self, channel: str) -> tuple[str, ...]:
        """The names of the templates there are for `channel`."""
        if channel == "slack":
            return tuple(sorted(path.stem for path in self._slack_folder.glob("*.yaml")))
        return tuple(sorted(path.parent.name for path in self._email_folder.glob("*/subject.txt")))

    def render(self, channel: str, name: str, context: Context) -> Rendered:
        """Template `name` of `channel` with `context`; raise RenderError."""
        return self.slack(name, context) if channel == "slack" else self.email(name, context)

    def slack(self, name: str, context: Context) -> Rendered:
        where = f"templates/slack/{name}.yaml"
        document = self._document(name)
        if not isinstance(document.value, Mapping) or set(document.value) != {"text", "blocks"}:
            raise RenderError(f"{where}: must have `text` and `blocks`, and nothing else")
        text = self._value(document.value["text"], context, "text", where, ("text",))
        blocks = self._value(document.value["blocks"], context, "", where, ("blocks",))
        if not isinstance(text, str) or not text.strip(DASH + " "):
            raise RenderError(f"{where}: `text` is empty; it is what notifications show")
        if not isinstance(blocks, list) or not 0 < len(blocks) <= MAX_BLOCKS:
            raise RenderError(f"{where}: `blocks` must be a list of 1 to {MAX_BLOCKS}")
        return Rendered(payload={"text": text, "blocks": blocks})

    def email(self, name: str, context: Context) -> Rendered:
        parts = {}
        for part in EMAIL_PARTS:
            environment = self._html if part.endswith(".html") else self._plain
            where = f"templates/email/{name}/{part}"
            try:
                parts[part] = environment.get_template(f"{name}/{part}").render(context)
            except TemplateNotFound as error:
                raise RenderError(f"{where}: there is no {error.name}") from None
            except (TemplateError, ArithmeticError, TypeError, ValueError) as error:
                raise RenderError(f"{where}: {_why(error)}") from None
        subject = " ".join(parts["subject.txt"].split())  # a line break would begin another header
        if not subject:
            raise RenderError(f"templates/email/{name}/subject.txt: is empty")
        return Rendered(subject=subject, payload={"text": parts["body.txt"], "html": parts["body.html"]})

    def line(self, source: str, context: Context) -> str:
        """One line of text from a template given in place, such as a task's title."""
        return " ".join(self._leaf(self._plain, source, context, repr(source)).split())

    def _read(self, name: str) -> Document:
        path = self._slack_folder / f"{name}.yaml"
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
        except (TemplateError, ArithmeticError, TypeError, ValueError) as error:
            raise RenderError(f"{where}: {_dotted(key)}: {_why(error)}") from None

    def _leaf(self, environment: ImmutableSandboxedEnvironment, source: str, context: Context, where: str) -> str:
        try:
            key = (id(environment), source)
            if key not in self._compiled:
                self._compiled[key] = environment.from_string(source)
            return self._compiled[key].render(context)
        except (TemplateError, ArithmeticError, TypeError, ValueError) as error:
            raise RenderError(f"{where}: {_why(error)}") from None


def _environment(show: Callable[[str], str], **options: Any) -> ImmutableSandboxedEnvironment:
    def finalize(value: Any) -> Any:
        if value is None:
            return DASH
        return value if show is str else show(str(value))

    environment = ImmutableSandboxedEnvironment(
        undefined=StrictUndefined, finalize=finalize, trim_blocks=True, lstrip_blocks=True, **options
    )
    environment.globals.clear()
    environment.filters["thousands"] = lambda value: None if value is None else f"{value:,.0f}"
    environment.filters["percent"] = lambda value: None if value is None else f"{value * 100:.0f} %"
    environment.filters["fixed"] = lambda value, places=1: None if value is None else f"{value:.{places}f}"
    return environment


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


def _why(error: Exception) -> str:
    line = getattr(error, "lineno", None)
    return f"line {line}: {error}" if line else str(error)

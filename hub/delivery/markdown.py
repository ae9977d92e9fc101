"""Markdown with places for values: read once, filled per message, so that no value is ever taken for Markdown or HTML.

A template's `{{ name }}` leaves a mark in the Markdown instead of the value; what is parsed is the author's text alone, and
the values come in afterwards, escaped for where they stand. A customer called `[x](http://evil)`, `# **` or `<script>`
therefore shows literally in HTML and in text, and one parsed shape serves every customer.

    \\ue0003\\ue001              the value "3" as text
    href="\\ue0021\\ue001"      link target 1: an address that may hold marks of its own

CommonMark with tables and ~~struck~~ text; HTML in templates is text. A link alone in its paragraph is a button. An image is
`![what it shows](chart:name)`, nothing fetched from elsewhere.
"""

import re
from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any
from urllib.parse import quote

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import OptionsDict

from hub.delivery.templating import RenderError

OPEN, CLOSE, TARGET = "\ue000", "\ue001", "\ue002"
MARK = re.compile(f"{OPEN}(\\w+){CLOSE}")
SCHEMES = ("https://", "http://", "mailto:")
CHART = "chart:"
CHART_WIDTH = 552  # of the 600 of the page, less its padding
_ADDRESS = re.compile(r"(https?://[^/\s]|mailto:[^\s]).*")
_UNSHOWN = dict.fromkeys([*range(32), *range(127, 160), ord(OPEN), ord(CLOSE), ord(TARGET)])
_KEPT = ":/?#[]@!$&'()*+,;=%~-._"

Values = Mapping[str, str]


def mark(name: str) -> str:
    return f"{OPEN}{name}{CLOSE}"


def clean(value: str) -> str:
    """`value` on one line, without what can't be seen."""
    return " ".join(value.split()).translate(_UNSHOWN)


def fill(text: str, values: Values) -> str:
    """`text` with its values in the place of marks, for plain text."""
    return MARK.sub(lambda found: values[found[1]], text)


def address(target: str, values: Values) -> str | None:
    """A link's target, or None where what the values make of it is nothing to open.

    A value that begins the target is an address, or its beginning; any later one is a part of it, and quoted.
    """
    head, *later = re.split(f"(?={OPEN})", target) if target else [""]
    if not head and later:  # a value is the beginning
        first = later.pop(0)
        head = MARK.sub(lambda found: quote(values[found[1]], safe=_KEPT), first)
    whole = head + "".join(MARK.sub(lambda found: quote(values[found[1]], safe=""), each) for each in later)
    return whole if _ADDRESS.fullmatch(whole) else None


@dataclass(slots=True)
class Content:
    """Parsed Markdown. `targets` of links, in order; `charts`: names of the pictures in it. All may hold marks."""

    tokens: Sequence[Token]
    html: str = ""
    targets: list[str] = field(default_factory=list)
    charts: list[str] = field(default_factory=list)


def read(source: str, *, targets: Sequence[str] = ()) -> Content:
    """Parse; raise RenderError. `targets`: of what was read before for the same message; numbers go on from there."""
    tokens = _parser.parse(source)
    content = Content(tokens, targets=list(targets))
    for index, token in enumerate(tokens):
        if token.type == "inline" and _is_link(token) and tokens[index - 1].type == "paragraph_open":
            for each in (tokens[index - 1], token, tokens[index + 1]):
                each.meta["button"] = True
            (token.children or [])[0].attrSet("class", "button")
        if token.type == "table_open":
            head = tokens[index : next(n for n, each in enumerate(tokens[index:], index) if each.type == "thead_close")]
            token.meta["headless"] = not any(each.content for each in head if each.type == "inline")
    content.html = _parser.renderer.render(_without_blank_heads(tokens), _parser.options, {"content": content})
    return content


def _is_link(inline: Token) -> bool:
    """Whether it is one link and nothing else."""
    children = inline.children or []
    opened = [each for each in children if each.type == "link_open"]
    return bool(opened) and len(opened) == 1 and children[0] is opened[0] and children[-1].type == "link_close"


def _without_blank_heads(tokens: Sequence[Token]) -> list[Token]:
    """A table whose column heads are all blank has none."""
    kept, leave_out = [], False
    for token in tokens:
        if token.type == "table_open":
            leave_out = bool(token.meta["headless"])
        if not leave_out or token.type == "table_open":
            kept.append(token)
        if token.type == "thead_close":
            leave_out = False
    return kept


class _Html(RendererHTML):
    """Adds what mail wants to the usual HTML; the layout's style sheet knows the classes."""

    def paragraph_open(
        self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: MutableMapping[str, Any]
    ) -> str:
        if "button" in tokens[idx].meta:
            table = '<table role="presentation" class="button" cellpadding="0" cellspacing="0" border="0">'
            return f'{table}<tr><td class="button">'
        return self.renderToken(tokens, idx, options, env)

    def paragraph_close(
        self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: MutableMapping[str, Any]
    ) -> str:
        return "</td></tr></table>\n" if "button" in tokens[idx].meta else self.renderToken(tokens, idx, options, env)

    def table_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: MutableMapping[str, Any]) -> str:
        return '<table class="data" width="100%" cellpadding="0" cellspacing="0" border="0">\n'

    def link_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: MutableMapping[str, Any]) -> str:
        content: Content = env["content"]
        target = str(tokens[idx].attrGet("href") or "")
        if OPEN not in target and not _ADDRESS.fullmatch(target):
            raise RenderError(f"the link {target!r} must begin with one of {', '.join(SCHEMES)}")
        content.targets.append(target)
        look = ' class="button"' if tokens[idx].attrGet("class") else ""
        return f'<a{look} href="{TARGET}{len(content.targets) - 1}{CLOSE}">'

    def image(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: MutableMapping[str, Any]) -> str:
        content: Content = env["content"]
        source = str(tokens[idx].attrGet("src") or "")
        if not source.startswith(CHART):
            raise RenderError(f"the image {source!r} must be {CHART}name: pictures come with the mail, none is fetched")
        name = source.removeprefix(CHART)
        content.charts.append(name)
        shows = escape(self.renderInlineAsText(tokens[idx].children or [], options, env))
        return f'<img class="chart" src="cid:{name}" alt="{shows}" width="{CHART_WIDTH}">'


_parser = MarkdownIt("commonmark", {"html": False, "xhtmlOut": False}, renderer_cls=_Html).enable(
    ["table", "strikethrough"]
)
_parser.normalizeLink = lambda url: url  # type: ignore[method-assign]  # marks must come through; `address` quotes
_parser.validateLink = lambda url: True  # type: ignore[method-assign]  # `address` decides, when the values are known

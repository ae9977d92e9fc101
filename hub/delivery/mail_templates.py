"""Mail templates into HTML and text: one file a template, both made from the same content.

    templates/email/<name>.md       subject: {{ customer.name }} is at risk
                                    audience: customer        customer-facing: own sender, opt-out, sending window
                                    topic: onboarding         what an opt-out is from; else everything customer-facing
                                    preheader: …              what programs show beside the subject
                                    ---
                                    Markdown with Jinja2      see hub.delivery.markdown
    templates/email/layout.html     the page around it; its style sheet is written into every tag
    templates/email/layout.<audience>.md   what stands below mail to `audience`

What depends on the customer is filled in last, so a template is parsed, laid out and inlined once for every way its `if`s
and `for`s can go, and a mail costs a Jinja2 rendering and two joins.
"""

import re
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

from css_inline import CSSInliner
from jinja2 import FileSystemLoader, Template, pass_context
from jinja2.runtime import Context as JinjaContext
from markupsafe import Markup

from hub.delivery import mail_text
from hub.delivery.markdown import CLOSE, OPEN, TARGET, Values, address, clean, fill, mark, read
from hub.delivery.templating import DASH, FAULTS, Context, Rendered, RenderError, environment, shown, why
from hub.resources import TEMPLATES

TEAM, CUSTOMER = "team", "customer"
AUDIENCES = (TEAM, CUSTOMER)
HEAD_KEYS = ("subject", "preheader", "audience", "topic")
UNSUBSCRIBE = "https://unsubscribe.invalid/"
"""Stands in payloads where the channel writes the recipient's own link, for one payload goes to several people."""
REMEMBERED = 512
RAW_FILTERS = ("safe", "escape", "e", "forceescape", "urlize", "tojson", "xmlattr")  # they would bypass the marks
_PLACE = re.compile(f' href="{TARGET}(\\d+){CLOSE}"|{OPEN}(\\w+){CLOSE}')

_values: ContextVar[dict[str, str]] = ContextVar("values")


@pass_context  # so that it is asked while rendering, of constants too
def _marked(_context: JinjaContext, value: Any) -> Markup:
    if isinstance(value, Markup):  # what a macro or a block of the template itself made
        return value
    values = _values.get()
    name = str(len(values))
    values[name] = clean(DASH if value is None else str(value))
    return Markup(mark(name))  # noqa: S704  a number between two marks


@dataclass(frozen=True, slots=True)
class _File:
    """A template as read: the head's lines, and the body with its lines where they stand in the file."""

    subject: Template
    preheader: Template | None
    audience: str
    topic: str
    body: Template


@dataclass(frozen=True, slots=True)
class _Shape:
    """A mail without its values. html: texts, and between them the marks."""

    html: tuple[str | tuple[str | None, str | None], ...]
    text: tuple[mail_text.Block, ...]
    targets: Sequence[str]
    charts: Sequence[str]


class MailTemplates:
    """The templates of one folder. They are read once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        roots = [folder, TEMPLATES / "email"]  # a folder without a layout has ours
        self._subjects = environment(shown)
        self._bodies = environment(_marked, autoescape=True, loader=FileSystemLoader(roots))
        for name in RAW_FILTERS:
            self._bodies.filters.pop(name, None)
        self._pages = environment(shown, autoescape=True, loader=FileSystemLoader(roots))
        self._inliner = CSSInliner(load_remote_stylesheets=False)
        self._file = cache(self._read)
        self._foot = cache(self._read_foot)
        self._shapes: OrderedDict[tuple[str, str, bool, str], _Shape] = OrderedDict()

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(sorted(path.stem for path in self._folder.glob("*.md") if not path.stem.startswith("layout.")))

    def render(self, name: str, context: Context, *, audience: str | None = None) -> Rendered:
        """Template `name` with `context`, for `audience` (None: as its head says); raise RenderError.

        context may hold `company`, for the foot, `product_url`, and `charts`: {name: PNG as base64}.
        """
        where = f"templates/email/{name}.md"
        file = self._file(name)
        audience = audience or file.audience
        context = {"company": "", "product_url": "", **context, "unsubscribe": UNSUBSCRIBE}
        values: dict[str, str] = {}
        token = _values.set(values)
        try:
            subject = clean(file.subject.render(context))
            preheader = clean(file.preheader.render(context)) if file.preheader else ""
            body = file.body.render(context)
            foot = below.render(context) if (below := self._foot(audience)) else ""
        except FAULTS as error:
            raise RenderError(f"{where}: {why(error, template=str(self._folder / f'{name}.md'))}") from None
        finally:
            _values.reset(token)
        if not subject:
            raise RenderError(f"{where}: its subject is empty")
        values |= {"subject": subject, "preheader": preheader}
        shape = self._shape(where, body, foot, bool(preheader), audience)
        payload: dict[str, Any] = {
            "text": mail_text.text(shape.text, values, shape.targets),
            "html": _page(shape, values),
        }
        if audience == CUSTOMER:
            payload |= {"audience": CUSTOMER, "topic": file.topic}
        if shape.charts:
            payload["attachments"] = [_chart(where, fill(chart, values), context) for chart in shape.charts]
        return Rendered(subject=subject, payload=payload)

    def _shape(self, where: str, body: str, foot: str, has_preheader: bool, audience: str) -> _Shape:
        key = (body, foot, has_preheader, audience)
        if key in self._shapes:
            self._shapes.move_to_end(key)
            return self._shapes[key]
        try:
            above = read(body)
            below = read(foot, targets=above.targets)
            page = self._pages.get_template("layout.html").render(
                subject=Markup(mark("subject")),  # noqa: S704  a name between two marks
                preheader=Markup(mark("preheader")) if has_preheader else "",  # noqa: S704  the same
                body=Markup(above.html),  # noqa: S704  as Markdown made it, values are marks
                foot=Markup(below.html),  # noqa: S704  the same
                audience=audience,
            )
        except RenderError as error:
            raise RenderError(f"{where}: {error}") from None
        except FAULTS as error:
            raise RenderError(f"templates/email/layout.html: {why(error)}") from None
        parts = _PLACE.split(self._inliner.inline(page))
        said = mail_text.blocks(above.tokens)
        if below.tokens:
            said += (mail_text.Literal(("--",)), *mail_text.blocks(below.tokens, first_target=len(above.targets)))
        html: list[str | tuple[str | None, str | None]] = [parts[0]]
        for target, value, after in zip(parts[1::3], parts[2::3], parts[3::3], strict=True):
            html += [(target, value), after]
        made = _Shape(tuple(html), said, below.targets, [*above.charts, *below.charts])
        self._shapes[key] = made
        if len(self._shapes) > REMEMBERED:
            self._shapes.popitem(last=False)
        return made

    def _read(self, name: str) -> _File:
        where = f"templates/email/{name}.md"
        path = self._folder / f"{name}.md"
        if not path.is_file():
            raise RenderError(f"there is no {where}; there are: {', '.join(self.names) or 'none'}")
        head, found, _ = path.read_text(encoding="utf-8").partition("\n---\n")
        if not found:
            raise RenderError(f"{where}: has no line `---` between its head and its text")
        said: dict[str, str] = {}
        for number, line in enumerate(head.split("\n"), 1):
            key, colon, value = line.partition(":")
            if not colon or key not in HEAD_KEYS or key in said:
                raise RenderError(f"{where}: line {number}: the head has lines of {', '.join(HEAD_KEYS)}, each once")
            said[key] = value.strip()
        audience = said.get("audience", TEAM)
        if audience not in AUDIENCES:
            raise RenderError(f"{where}: audience: must be one of {', '.join(AUDIENCES)}")
        if not said.get("subject"):
            raise RenderError(f"{where}: has no subject")
        try:
            return _File(
                subject=self._subjects.from_string(said["subject"]),
                preheader=self._subjects.from_string(said["preheader"]) if said.get("preheader") else None,
                audience=audience,
                topic=said.get("topic", ""),
                body=self._body(path),
            )
        except FAULTS as error:
            raise RenderError(f"{where}: {why(error)}") from None

    def _body(self, path: Path) -> Template:
        """Compiled so that faults name the file's own lines: the head is blank ones."""
        head, rule, body = path.read_text(encoding="utf-8").partition("\n---\n")
        source = "\n" * (head + rule).count("\n") + body
        code = self._bodies.compile(source, name=path.name, filename=str(path))
        return Template.from_code(self._bodies, code, self._bodies.make_globals(None))

    def _read_foot(self, audience: str) -> Template | None:
        name = f"layout.{audience}.md"
        return self._bodies.get_template(name) if name in self._bodies.list_templates() else None


def _page(shape: _Shape, values: Values) -> str:
    made = []
    for part in shape.html:
        if isinstance(part, str):
            made.append(part)
            continue
        target, value = part
        if value is not None:
            made.append(escape(values[value]))
        elif target is not None and (where := address(shape.targets[int(target)], values)) is not None:
            made.append(f' href="{escape(where)}"')
    return "".join(made)


def _chart(where: str, name: str, context: Context) -> dict[str, str]:
    charts = context.get("charts")
    there = charts if isinstance(charts, Mapping) else {}
    if name not in there:
        raise RenderError(f"{where}: there is no chart {name!r}; there are: {', '.join(sorted(there)) or 'none'}")
    return {"name": name, "type": "image/png", "content": there[name]}

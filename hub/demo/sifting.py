"""Which of many arrivals somebody wants to see on the outbox's page: by channel, place, words, thread; a page at a time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from html import escape
from typing import Any, Self
from urllib.parse import quote

FAMILIES = {"": "everything", "slack": "Slack", "email": "e-mail", "pagerduty": "PagerDuty", "webhook": "webhooks"}
PLACES = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """kind: one of FAMILIES. to: an address or channel as it is shown. text: words of it, such as a customer's name.

    thread  "channel/ts" of the message that a thread follows; before: the number of an arrival
    """

    kind: str = ""
    to: str = ""
    text: str = ""
    thread: str = ""
    before: int | None = None

    @classmethod
    def of(cls, query: Mapping[str, str]) -> Self:
        """From the page's own address; what makes no sense is left out."""
        kind, before = query.get("kind", ""), query.get("before", "")
        return cls(
            kind=kind if kind in FAMILIES else "",
            to=query.get("to", "").strip(),
            text=query.get("q", "").strip(),
            thread=query.get("thread", ""),
            before=int(before) if before.isdecimal() else None,
        )

    def where(self) -> tuple[str, list[Any]]:
        """As SQL over arrivals, and its values."""
        parts, values = ["true"], list[Any]()
        if self.kind:
            parts.append("(kind = ? OR kind LIKE ?)")
            values += [self.kind, f"{self.kind}\\_%"]
            parts[-1] = parts[-1].replace("LIKE ?", "LIKE ? ESCAPE '\\'")
        if self.to:
            parts.append("(shown = ? OR address = ?)")
            values += [self.to, self.to]
        for word in self.text.split():
            parts.append("(subject LIKE ? ESCAPE '\\' OR body LIKE ? ESCAPE '\\')")
            like = "%" + word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
            values += [like, like]
        if self.thread:
            channel, _, ts = self.thread.partition("/")
            parts.append("address = ? AND ? IN (json_extract(body, '$.ts'), json_extract(body, '$.thread_ts'))")
            values += [channel, ts]
        if self.before is not None:
            parts.append("number < ?")
            values.append(self.before)
        return " AND ".join(parts), values

    def link(self, acting: str, **changes: Any) -> str:
        """The address of the page with some of it changed."""
        other = replace(self, **changes)
        values = {"as": acting, "kind": other.kind, "to": other.to, "q": other.text, "thread": other.thread}
        values["before"] = "" if other.before is None else str(other.before)
        return "/outbox?" + "&".join(f"{name}={quote(value)}" for name, value in values.items() if value)


def sieve(wanted: Wanted, *, acting: str, places: Sequence[str]) -> str:
    """The form, without a script. `places`: channels and addresses that something came to."""
    kinds = " ".join(
        f"<strong>{escape(label)}</strong>"
        if kind == wanted.kind
        else f'<a href="{escape(wanted.link(acting, kind=kind, before=None, thread=""))}">{escape(label)}</a>'
        for kind, label in FAMILIES.items()
    )
    known = "".join(f'<option value="{escape(each)}">' for each in places)
    hidden = "".join(
        f'<input type="hidden" name="{name}" value="{escape(value)}">'
        for name, value in (("as", acting), ("kind", wanted.kind))
        if value
    )
    back = f'<a href="{escape(wanted.link(acting, to="", text="", thread="", before=None))}">all</a>'
    narrowed = wanted.to or wanted.text or wanted.thread or wanted.before
    return (
        f'<section class="playing"><p>Show {kinds}{" · " + back if narrowed else ""}</p>'
        f'<form class="press" action="/outbox">{hidden}'
        f'<label>to <input name="to" list="places" value="{escape(wanted.to)}" placeholder="#channel or address"></label>'
        f'<datalist id="places">{known}</datalist>'
        f'<label>about <input name="q" value="{escape(wanted.text)}" placeholder="a customer, or words"></label>'
        '<button class="button">Show</button></form></section>'
    )

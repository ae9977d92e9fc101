"""A new connector's folder, written from templates: whole, against an invented vendor, for its author to change piece by piece.

`files` fills `templates/scaffold/connector/` for a kind of record and a style of paging. What it gives keeps every rule of the
suites at once, so that each step away from it, towards the real vendor, can be seen to keep them, too.
"""

import keyword
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Template

from hub.errors import RefusedError
from hub.resources import TEMPLATES

FOLDER = TEMPLATES / "scaffold" / "connector"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of record: class, stream, the part of the simulated company it is shown with, and facts it feeds."""

    makes: str
    stream: str
    part: str
    part_type: str
    what: str
    feeds: str
    changed: str = "updated_at"


RECORDS: Mapping[str, Kind] = {
    "company": Kind(makes="Company", stream="companies", part="accounts", part_type="Account", what="account",
                    feeds="segment"),
    "contact": Kind(makes="Contact", stream="contacts", part="people", part_type="Person", what="person",
                    feeds="champions, executives"),
    "ticket": Kind(makes="Ticket", stream="tickets", part="tickets", part_type="SupportTicket", what="ticket",
                   feeds="tickets_28d, tickets_open"),
    "survey_response": Kind(makes="SurveyResponse", stream="responses", part="nps", part_type="NpsAnswer", what="nps",
                            feeds="nps_last, survey_answers_90d", changed="at"),
    "subscription": Kind(makes="Subscription", stream="subscriptions", part="terms", part_type="Term", what="term",
                         feeds="mrr, days_to_renewal"),
    "invoice": Kind(makes="Invoice", stream="invoices", part="bills", part_type="Bill", what="bill",
                    feeds="payment_failures_90d, days_past_due"),
    "opportunity": Kind(makes="Opportunity", stream="deals", part="deals", part_type="Deal", what="deal",
                        feeds="days_to_renewal"),
}  # fmt: skip

PAGINGS: Mapping[str, str] = {
    "token": "each answer names a token (or a link) for the next",
    "keyset": "rows can be asked for beyond a time and an id, in that order",
    "number": "pages have numbers, or rows have offsets",
    "window": "there are no pages; a query names a span of time",
}
BOOKMARKS = {"token": "token", "keyset": "time and key", "number": "time", "window": "time"}


def files(name: str, *, record: str, paging: str) -> dict[str, str]:
    """{path in the folder: content} of connector `name`. `record` is one of RECORDS, `paging` one of PAGINGS.

    Raises RefusedError for a name that can be no folder's.
    """
    word = name.isidentifier() and name.islower() and name.isascii() and not keyword.iskeyword(name)
    if not word or name.startswith("_") or name == "kit":
        raise RefusedError(
            f"{name!r} can be no connector's name; one is like acme or acme_desk: small letters, digits, _; no word of Python's"
        )
    kind, style = RECORDS[record], FOLDER / "paging" / paging
    title = name.replace("_", " ").title()

    def part(path: Path) -> str:
        return path.read_text().rstrip("\n")

    filling = {
        "name": name,
        "title": title,
        "upper": name.upper(),
        "host": f"{name.replace('_', '-')}.example",
        "record": record,
        "makes": kind.makes,
        "stream": kind.stream,
        "part": kind.part,
        "part_type": kind.part_type,
        "what": kind.what,
        "prefix": record.partition("_")[0],
        "changed": kind.changed,
        "feeds": kind.feeds,
        "bookmark": BOOKMARKS[paging],
        "creates_customers": "false",
        "wire_imports": ", crm_id" if record == "company" else "",
        "row": part(FOLDER / "record" / record / "row.txt"),
        "manifest_settings": part(style / "settings.yaml.txt"),
        "readme_settings": part(style / "settings.md.txt"),
        "limits": part(style / "limits.txt"),
        "why": part(style / "why.md.txt"),
    }
    sources = {
        "__init__.py": FOLDER / "__init__.py.txt",
        "manifest.yaml": FOLDER / "manifest.yaml.txt",
        "README.md": FOLDER / "README.md.txt",
        "connector.py": style / "connector.py.txt",
        "pull.py": style / "pull.py.txt",
        "mapping.py": FOLDER / "record" / record / "mapping.py.txt",
        "sandbox.py": style / "sandbox.py.txt",
        "wire.py": FOLDER / "wire.py.txt",
        f"fixtures/{kind.stream}.json": FOLDER / "record" / record / "fixtures.json.txt",
    }
    return {path: _sorted(Template(source.read_text()).substitute(filling)) for path, source in sources.items()}


def _sorted(text: str) -> str:
    """With the imports of connectors in their order, which depends on the name."""
    lines = text.split("\n")
    places = [at for at, line in enumerate(lines) if line.startswith("from connectors.")]
    for at, line in zip(places, sorted((lines[at] for at in places), key=lambda line: line.split()[1]), strict=True):
        lines[at] = line
    return "\n".join(lines)

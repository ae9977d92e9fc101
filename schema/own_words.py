"""Fields whose values, not whose columns, may name a person: who lacks the scope `personal` sees them without.

Refusing the whole field would keep lists of alerts and the state of syncs from everybody who only reads.
"""

from typing import Any

from hub.model.actions import Scope
from hub.model.own_words import title_without_words, without_addresses
from schema.context import Context
from schema.fields import computed_now


def title_of(row: Any, context: Context) -> str:
    """The title of a row with kind, title and dedup_key."""
    title: str = row["title"]
    if Scope.PERSONAL in context.viewer.scopes:
        return title
    return title_without_words(row["kind"], title, row["dedup_key"])


def answered(name: str, description: str = "") -> Any:
    """A column with what a vendor answered, which may quote what it was sent."""

    def told(row: Any, context: Context) -> str | None:
        text: str | None = row.get(name) if isinstance(row, dict) else row[name]
        return text if text is None or Scope.PERSONAL in context.viewer.scopes else without_addresses(text)

    said = "Addresses of people in it are shown with the scope personal alone."
    return computed_now(told, name, description=f"{description} {said}".lstrip())

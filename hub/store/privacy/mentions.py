"""Where a text or JSON mentions a person or company, and what it says without them.

    mentions = Mentions.of(subject, customer=True)
    mentions.found(value)        whether it does
    mentions.taken_out(value)    the same with a pseudonym in the place of each
    mentions.test(column)        SQL that holds for every row that may; some of them do not

Addresses are looked for everywhere, names of people in rows of their customers alone: there are other people of the same name.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from sqlalchemy import ColumnElement, Text, cast, false, or_, true

from hub.store.privacy.subject import Subject
from hub.store.tables.base import PackedJson

_WORDS = re.compile(r"\s+")
_UNSURE = re.compile(r'[^\x20-\x7e]|["\\/%_]')
"""Characters that JSON may write in two ways, LIKE takes for a pattern, or SQLite does not know the small letter of."""


@dataclass(frozen=True, slots=True)
class Mentions:
    """See the module. said: {as it is looked for, in small letters: what stands in its place}"""

    said: Mapping[str, str]
    pattern: re.Pattern[str] | None

    @classmethod
    def of(cls, subject: Subject, *, names: bool) -> Self:
        """Of a person's addresses and, where asked for, names; of a company its domains, names and people elsewhere."""
        label = subject.label
        said = {email: subject.pseudonyms.get(email, label) for email in subject.emails if not _inside(email, subject)}
        if names:
            said |= {_WORDS.sub(" ", name.lower()): label for name in subject.names}
        patterns = [r"(?<![\w.+-])" + _spaced(each) + r"(?![\w-])" for each in sorted(said, key=len, reverse=True)]
        for domain in subject.domains:
            patterns.append(r"[\w.+-]*@?(?<![\w-])" + re.escape(domain) + r"(?![\w-])")
            said[domain] = label
        return cls(said, re.compile("|".join(patterns), re.IGNORECASE) if patterns else None)

    def test(self, columns: Iterable[ColumnElement[Any]]) -> ColumnElement[bool]:
        if not self.said:
            return false()
        columns = list(columns)
        if any(isinstance(column.type, PackedJson) for column in columns):
            return true()  # only who unpacks a row can say
        likes = [f"%{_UNSURE.sub('%', each).replace(' ', '%')}%" for each in self.said]
        return or_(*(cast(column, Text).ilike(like) for column in columns for like in likes))

    def found(self, value: Any) -> bool:
        return bool(self.taken_out(value) != value)

    def taken_out(self, value: Any) -> Any:
        """Without them: texts in lists and objects too, names of their fields among them."""
        if self.pattern is None:
            return value
        match value:
            case str():
                return self.pattern.sub(self._instead, value)
            case dict():
                return {self.taken_out(key): self.taken_out(inner) for key, inner in value.items()}
            case list():
                return [self.taken_out(inner) for inner in value]
        return value

    def _instead(self, match: re.Match[str]) -> str:
        said = _WORDS.sub(" ", match[0].lower())
        return self.said.get(said) or next(iter(self.said.values()))


def _spaced(words: str) -> str:
    return r"\s+".join(re.escape(word) for word in words.split(" "))


def _inside(email: str, subject: Subject) -> bool:
    """Whether a domain of the company finds it already."""
    return email.rpartition("@")[2] in subject.domains

"""Where a text or JSON mentions a person or company, and what it says without them.

    mentions = Mentions.of(subject, names=True)
    mentions.found(value)        whether it does
    mentions.without(texts)      the texts of a row with a pseudonym in the place of each
    mentions.test(columns)       SQL that holds for every row that may; some of them do not

Addresses and ids (crm:4711) are looked for everywhere; names and telephone numbers of people where one of these stands beside
them, and of a person in rows of their customers, too: there are other people of the same name, and colleagues share a number.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

from sqlalchemy import ColumnElement, Text, cast, false, or_, true

from hub.store.privacy.subject import Subject, split_id
from hub.store.tables.base import PackedJson

_WORDS = re.compile(r"\s+")
_UNSURE = re.compile(r'[^\x20-\x7e]|["\\/%_]')
"""Characters that JSON may write in two ways, LIKE takes for a pattern, or SQLite does not know the small letter of."""


_PERSONAL = re.compile(
    r"user|contact|requester|author|person|people|respondent|submitter|visitor|distinct|profile|reporter|lead|from|who|"
    r"company|organi[sz]ation|account|customer|tenant|group",
    re.IGNORECASE,
)
MOST_LOOKED = 200
"""Words that the database looks for; more of them are looked for here."""
SHORTEST_KEY = 5
"""Of a source's key of somebody that is taken for theirs wherever it stands; shorter ones only in fields named for such."""


@dataclass(frozen=True, slots=True)
class Mentions:
    """See the module.

    said     {as it is looked for, in small letters: what stands in its place}; numbers with a space between their digits
    pattern  of all of it; certain: of what is enough to take a text for one about the subject
    keys     (source, key) of the person, or the company, which rows as they came may hold
    """

    said: Mapping[str, str]
    label: str
    pattern: re.Pattern[str] | None
    certain: re.Pattern[str] | None
    likes: tuple[str, ...]
    keys: frozenset[tuple[str, str]]

    @classmethod
    def of(cls, subject: Subject, *, names: bool) -> Self:
        """Of a person's addresses, ids, names and numbers; of a company its domains, names and people elsewhere.

        names: whether a name or number is enough.
        """
        label = subject.label
        said = {email: subject.pseudonyms.get(email, label) for email in subject.emails if not _inside(email, subject)}
        people = [*map(split_id, subject.contacts), *subject.users]  # of a customer too many to be looked for as words
        ids = [":".join(key).lower() for key in people]
        said |= {":".join(key).lower(): label for key in subject.companies}
        said |= {} if subject.is_customer else dict.fromkeys(ids, label)
        sure = _patterns(said)
        for domain in subject.domains:
            sure.append(r"[\w.+-]*@?(?<![\w-])" + re.escape(domain) + r"(?![\w-])")
            said[domain] = label
        likes = list(said)
        loose = {_WORDS.sub(" ", name.lower()): label for name in subject.names}
        enough = _patterns(loose)
        beside = [*_patterns(_WORDS.sub(" ", name.lower()) for name in subject.people), *map(_number, subject.phones)]
        if subject.is_customer:
            beside += _patterns(ids)
        else:
            enough += beside
            loose |= {" ".join(number): label for number in subject.phones}
        return cls(
            said | loose,
            label,
            _compiled([*sure, *enough, *beside]),
            _compiled([*sure, *enough] if names else sure),
            (*likes, *loose) if names else tuple(likes),
            frozenset(subject.companies) | frozenset(people),
        )

    def test(self, columns: Iterable[ColumnElement[Any]], *, keys: bool = False) -> ColumnElement[bool]:
        """keys: whether the columns are rows as they came."""
        looked = [*self.likes, *(key.lower() for _, key in self.keys if keys)]
        if not looked:
            return false()
        columns = list(columns)
        if len(looked) > MOST_LOOKED or any(isinstance(column.type, PackedJson) for column in columns):
            return true()  # only who unpacks a row can say
        likes = [f"%{_UNSURE.sub('%', each).replace(' ', '%')}%" for each in looked]
        return or_(*(cast(column, Text).ilike(like) for column in columns for like in likes))

    def found(self, value: Any) -> bool:
        """Whether it is about the subject."""
        certain = self.certain
        return certain is not None and any(certain.search(text) for text in texts(value))

    def without(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The texts of a row without the subject; as they are where none of them is about it."""
        if not any(map(self.found, values.values())):
            return dict(values)
        return {name: self.taken_out(value) for name, value in values.items()}

    def came_from(self, source: str | None, raw: Any) -> bool:
        """Whether a source's row, as it came, holds one of the keys."""
        keys = {key for at, key in self.keys if at == source}
        return bool(keys) and not keys.isdisjoint(who(raw))

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
        return self.said.get(_WORDS.sub(" ", match[0].lower()), self.label)


def texts(value: Any) -> Iterator[str]:
    """Every text in a JSON value, names of fields among them."""
    match value:
        case str():
            yield value
        case dict():
            for key, inner in value.items():
                yield from texts(key)
                yield from texts(inner)
        case list() | tuple():
            for inner in value:
                yield from texts(inner)


def who(raw: Any, *, field: str = "") -> Iterator[str]:
    """What may be somebody's key in a row as it came: what is long, or stands in a field for people or companies."""
    match raw:
        case bool():
            return
        case str() | int():
            key = str(raw)
            if len(key) >= SHORTEST_KEY or _PERSONAL.search(field):
                yield key
        case dict():
            for name, inner in raw.items():
                yield from who(inner, field=f"{field} {name}"[-60:])
        case list() | tuple():
            for inner in raw:
                yield from who(inner, field=field)


def _patterns(said: Iterable[str]) -> list[str]:
    return [r"(?<![\w.+-])" + _spaced(each) + r"(?![\w-])" for each in sorted(said, key=len, reverse=True)]


def _spaced(words: str) -> str:
    return r"\s+".join(re.escape(word) for word in words.split(" "))


def _number(digits: str) -> str:
    """A telephone number however it is set."""
    return r"(?<!\d)(?:\+|00)?" + r"[\s()./-]*".join(digits) + r"(?!\d)"


def _compiled(patterns: Iterable[str]) -> re.Pattern[str] | None:
    joined = "|".join(patterns)
    return re.compile(joined, re.IGNORECASE) if joined else None


def _inside(email: str, subject: Subject) -> bool:
    """Whether a domain of the company finds it already."""
    return email.rpartition("@")[2] in subject.domains

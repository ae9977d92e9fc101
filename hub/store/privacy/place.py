"""A table as erasing sees it: where personal data lies in it, how it is found, and what becomes of it.

Every column of text or JSON stands in one of four lists of its table's place; a test refuses one that stands in none.

    personal  holds what tells a person: in a row that is the person's own, or of an erased customer, it is changed
    company   tells a company: changed in rows of an erased customer alone
    texts     free words and JSON that may mention anybody: a person's addresses and names are replaced wherever they stand;
              in a row that is the person's own, or of an erased customer, all of it goes
    plain     {why it is not personal: columns}

A row is a person's own where a column of `own` says so. It is a customer's by `customer`: the column with the customer's id,
or a column and the table whose row it names, which knows.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from sqlalchemy import Table


class Does(StrEnum):
    """What erasing does to a value."""

    GONE = "gone"  # NULL, or an empty text or object where the table wants one
    WORD = "word"  # "[erased]", where an empty text would read like a fault
    PSEUDONYM = "pseudonym"  # the same for the same value, so that counts of people stay what they were
    ADDRESS = "address"  # a pseudonym where it is the person's, and as it is where it is ours
    KEY = "key"  # a keyed hash that a later sync of the same row comes to again
    RECORD = "record"  # "<source>:<key>" with such a key
    HASH = "hash"  # a keyed hash of the address, by which its opt-out is still found


class Whose(StrEnum):
    """What a column of `own` holds."""

    EMAIL = "email"
    RECORD = "record"  # id of a contact, "<source>:<key>"
    USER = "user"  # a user's key at the row's source


REFERENCE = "names a row of ours, which is looked after where it is"
CODE = "one of a closed list, or a name from our own configuration"
STAFF = "one of our own people, in their work for us"
COMPANY = "about the company, and kept when a person of it goes"
VENDOR = "the vendor's number of a row, which tells nothing without the vendor"
MACHINE = "a digest, a counter's name or a state that no person made"
FIGURES = "figures, and words of ours about figures"
OURS = "our own definitions and models; none holds a customer's row"

Columns = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One table; see the module. about: what its rows are, for reports and the export.

    delete     whether a row that is the person's own, or of the erased customer, goes as a whole
    forget     whether a row of any kind goes that mentions the person or company: raw rows that nothing else rests on
    stop       {state that must not go on: the state it gets}, by the column `state`
    texts_of   {column: values}: the texts go as a whole in rows that have one of these in one of them; else in all rows
    exported   whether an export has its rows
    """

    table: Table
    about: str
    own: Mapping[str, Whose] = field(default_factory=dict)
    customer: tuple[str, ...] = ()
    personal: Mapping[str, Does] = field(default_factory=dict)
    company: Mapping[str, Does] = field(default_factory=dict)
    texts: tuple[str, ...] = ()
    plain: Columns = field(default_factory=dict)
    delete: bool = False
    forget: bool = False
    stop: Mapping[str, str] = field(default_factory=dict)
    texts_of: Mapping[str, frozenset[str]] = field(default_factory=dict)
    exported: bool = True

    @property
    def name(self) -> str:
        return str(self.table.name)

    @property
    def columns(self) -> list[str]:
        """Of all lists, each as often as it stands there."""
        plain = [name for names in self.plain.values() for name in names.split()]
        return [*self.personal, *self.company, *self.texts, *plain]

    def changes(self, *, customer: bool) -> bool:
        """Whether erasing a person, or a customer, does anything here."""
        return bool(self.personal or self.texts or self.delete or (customer and (self.company or self.stop)))

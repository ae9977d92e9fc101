"""What trees are written with: what a form makes of values, objects and lists is put together by nobody but the form itself.

`sqlite`       JSON functions of the database
`postgresql`   texts one after the other
"""

from collections.abc import Sequence
from typing import Any, Protocol

from sqlalchemy import ColumnElement, FromClause, Select

from hub.store.query.compiled.tree import Leaf

Made = Any
"""A value as a form has made it."""


class Form(Protocol):
    # -- values

    def constant(self, words: str) -> Made: ...

    def leaf(self, column: ColumnElement[Any], wanted: Leaf, *, nullable: bool) -> Made:
        """A column as its kind is shown. nullable: whether null may stand in it at all."""
        ...

    def named(self, word: str, column: ColumnElement[Any], *, nullable: bool) -> Made:
        """A row's own key behind a word of ours."""
        ...

    def key(self, code: str, column: ColumnElement[Any], *, nullable: bool) -> Made:
        """A sealed id of the API, made later of a row's own."""
        ...

    def marked(self, code: str, columns: Sequence[ColumnElement[Any]]) -> ColumnElement[str]:
        """What is worked out later from a list of columns, as a text: `of_text` makes it a value."""
        ...

    def of_text(self, marked: ColumnElement[str], *, nullable: bool) -> Made: ...

    def count(self, number: ColumnElement[int]) -> Made: ...

    def truth(self, test: ColumnElement[bool]) -> Made: ...

    # -- objects and lists

    def object(self, pairs: Sequence[tuple[str, Made]]) -> Made: ...

    def part(self, made: Made, missing: ColumnElement[bool], *, required: bool) -> Made:
        """An object of the row that stands around it, or null."""
        ...

    def one(self, made: Made, rows: FromClause, *, required: bool) -> Made:
        """Of the one row there may be."""
        ...

    def listed(self, made: Made, rows: FromClause) -> Made:
        """Of all rows, in their order."""
        ...

    def each(self, made: Made, rows: FromClause) -> Select[Any]:
        """The finished text, for each of the rows."""
        ...

    def whole(self, made: Made) -> Select[Any]:
        """The finished text of what needs no row around it."""
        ...

    def all(self, made: Made, rows: FromClause) -> tuple[Select[Any], str, str]:
        """The finished text of a list, but for what it stands between; null where there are no rows."""
        ...

"""SELECT statements whose tests are there or not, built once for each set of them: to build one costs more than to ask it.

_ALERTS = Asking(select(alert).order_by(alert.c.id), run_ids=alert.c.run_id.in_(several("run_ids")))
rows = await connection.execute(*_ALERTS.of(run_ids=ids))           None: that test is left out
"""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Integer, Select, bindparam


def several(name: str) -> BindParameter[Any]:
    """What stands after `column.in_`."""
    return bindparam(name, expanding=True)


class Asking:
    """tests: {name of what is asked, and of the test's only parameter: the test}."""

    def __init__(self, statement: Select[Any], **tests: ColumnElement[bool]) -> None:
        self._statement = statement
        self._tests = tests
        self._built: dict[tuple[str, ...], Select[Any]] = {}

    def of(self, *, limit: int | None = None, **asked: Any) -> tuple[Select[Any], Mapping[str, Any]]:
        """The statement with the tests of what is asked, and its parameters; most rows: `limit`."""
        given = {
            name: list(value) if isinstance(value, Iterable) and not isinstance(value, str) else value
            for name, value in asked.items()
            if value is not None
        }
        names = (*given, "limit") if limit is not None else tuple(given)
        if names not in self._built:
            statement = self._statement.where(*(self._tests[name] for name in given))
            self._built[names] = statement if limit is None else statement.limit(bindparam("most", type_=Integer))
        return self._built[names], given if limit is None else {**given, "most": limit}

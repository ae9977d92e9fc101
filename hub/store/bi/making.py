"""The views in the database itself: `bi_customers` and the like, for tools that speak SQL.

They are no part of the migrations: each upgrade makes them anew, from what `catalog` says now. Whoever reads them needs an
account that may read them and nothing else; no personal data is in them.
"""

from collections.abc import Sequence

from sqlalchemy import Connection as SyncConnection
from sqlalchemy import inspect

from hub.store.bi.catalog import VIEWS
from hub.store.bi.view import View

Grants = Sequence[tuple[str, str]]
"""(view, role that may read it), which PostgreSQL forgets with the view."""


def drop_views(connection: SyncConnection) -> Grants:
    """Before a migration: a table that a view reads can be changed on neither database. Return who might read them."""
    there = [name for name in inspect(connection).get_view_names() if name.startswith("bi_")]
    grants: Grants = []
    if there and connection.dialect.name == "postgresql":
        found = connection.exec_driver_sql(
            "SELECT table_name, grantee FROM information_schema.role_table_grants"
            " WHERE table_schema = current_schema() AND table_name LIKE 'bi!_%%' ESCAPE '!'"
            " AND privilege_type = 'SELECT' AND grantee <> current_user"
        )
        grants = [(row[0], row[1]) for row in found]
    for name in there:
        connection.exec_driver_sql(f"DROP VIEW {name}")
    return grants


def make_views(connection: SyncConnection, grants: Grants) -> None:
    """Make all of them, and let read who might before."""
    quote = connection.dialect.identifier_preparer.quote
    for view in VIEWS.values():
        connection.exec_driver_sql(f"CREATE VIEW {view.view} AS {_text(view, connection)}")
    made = {view.view for view in VIEWS.values()}
    for name, role in grants:
        if name in made:
            connection.exec_driver_sql(f"GRANT SELECT ON {name} TO {'PUBLIC' if role == 'PUBLIC' else quote(role)}")


def _text(view: View, connection: SyncConnection) -> str:
    statement = view.statement(view.shown(personal=False))
    return str(statement.compile(dialect=connection.dialect, compile_kwargs={"literal_binds": True}))

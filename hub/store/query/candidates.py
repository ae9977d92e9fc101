"""The customers that ambiguous evidence could mean, a row each: its list of candidates taken apart."""

from typing import Any

from sqlalchemy import Text, cast, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import GenericFunction

from hub.store.tables import external_id


class _texts_in(GenericFunction[Any]):  # noqa: N801 - named as the SQL it stands for
    """The texts in a JSON array, as rows of one column, `value`."""

    inherit_cache = True


@compiles(_texts_in, "sqlite")
def _(element: _texts_in, compiler: SQLCompiler, **options: Any) -> str:
    return f"json_each({compiler.process(element.clauses, **options)})"


@compiles(_texts_in, "postgresql")
def _(element: _texts_in, compiler: SQLCompiler, **options: Any) -> str:
    return f"json_array_elements_text({compiler.process(element.clauses, **options)})"


_each = _texts_in(external_id.c.candidates).table_valued("value", name="candidate")
_customer = cast(_each.c.value, Text)

candidates = (
    select(
        (external_id.c.id + ":" + _customer).label("id"),
        external_id.c.id.label("evidence_id"),
        _customer.label("customer_id"),
    )
    .select_from(external_id)
    .join(_each, external_id.c.id.is_not(None))
    .where(external_id.c.state == "ambiguous", external_id.c.deleted.is_(False))
    .subquery("identity_candidate")
)

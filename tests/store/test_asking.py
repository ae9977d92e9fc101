"""Statements with tests that are there or not: what is not asked is not tested, and nothing is built twice."""

from sqlalchemy import bindparam, select

from hub.store import Store
from hub.store.asking import Asking, several
from hub.store.tables import playbook_stop
from tests.fakes.clock import START


async def test_what_is_not_asked_is_not_tested(store: Store) -> None:
    row = playbook_stop.c
    asking = Asking(
        select(row.playbook).order_by(row.playbook),
        names=row.playbook.in_(several("names")),
        by=row.stopped_by == bindparam("by"),
    )
    stops = [("a", "ann"), ("b", "bob"), ("c", "ann")]
    async with store.transaction() as connection:
        given = {"reason": "", "stopped_at": START}
        rows = [{"playbook": name, "stopped_by": by, **given} for name, by in stops]
        await connection.execute(playbook_stop.insert(), rows)

        async def ask(**asked: object) -> str:
            return "".join((await connection.execute(*asking.of(**asked))).scalars())  # type: ignore[arg-type]  # a limit, too

        assert await ask() == "abc"
        assert await ask(names=None, by="ann") == "ac"
        assert await ask(names=iter(["a", "b"]), by="ann") == "a"
        assert await ask(names=[]) == ""
        assert await ask(limit=2) == "ab"
        assert await ask(by="bob", limit=2) == "b"
    assert asking.of(by="ann")[0] is asking.of(by="bob", names=None)[0]

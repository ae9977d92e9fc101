"""As whom one may look at the demo: the tokens its sign-in page offers."""

import stat
from datetime import timedelta
from pathlib import Path

from hub.access import tokens
from hub.demo.visitors import visitors
from hub.model.actions import Role
from hub.store import Store, tables
from tests.schema.company import NOW, insert


async def test_an_admin_and_the_csm_with_the_most_customers_come_in_run_after_run(
    sqlite_store: Store, tmp_path: Path
) -> None:
    owners = ["bob@cs.example", "ann@cs.example", "Ann@cs.example", None]
    rows = [{"id": f"c{number}", "name": "Acme", "csm_email": owner} for number, owner in enumerate(owners)]
    await insert(sqlite_store, tables.customer, rows)
    names = {"ann@cs.example": "Ann"}
    admin, csm = await visitors(sqlite_store, tmp_path, names=names, now=NOW)
    assert (csm.who, csm.sees) == ("Ann, a CSM", "2 customers of Ann's own come first.")
    found = [await tokens.find_viewer(sqlite_store, each.secret, now=NOW) for each in (admin, csm)]
    assert [each and (each.role, each.csm_email) for each in found] == [
        (Role.ADMIN, None),
        (Role.CSM, "ann@cs.example"),
    ]
    assert [stat.S_IMODE((tmp_path / name).stat().st_mode) & 0o077 for name in ("token", "token_csm")] == [0, 0]
    later = await visitors(sqlite_store, tmp_path, names=names, now=NOW + timedelta(days=29))
    assert [each.secret for each in later] == [admin.secret, csm.secret]
    over = await visitors(sqlite_store, tmp_path, names=names, now=NOW + timedelta(days=30))
    assert {each.secret for each in over}.isdisjoint({admin.secret, csm.secret})

"""As whom one may look at the demo: an admin, and the CSM who has the most customers. Tokens are kept from run to run."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from hub.access import tokens
from hub.model.actions import Role
from hub.store import Store
from hub.store.retention import find_profiles
from hub.web.dashboard.signin import DemoToken

VALID = timedelta(days=30)


async def visitors(store: Store, folder: Path, *, names: dict[str, str], now: datetime) -> Sequence[DemoToken]:
    """The admin first. names: {address: name} of our own people."""
    made = [
        DemoToken(
            who="An admin",
            sees="All customers, and how the hub itself is run.",
            secret=await _secret(store, folder / "token", now=now, name="demo", role=Role.ADMIN, csm_email=None),
        )
    ]
    async with store.reading() as connection:
        profiles = await find_profiles(connection)
    counts = Counter(each.csm_email.lower() for each in profiles.values() if each.csm_email)
    for email, count in counts.most_common(1):
        name = names.get(email, email)
        secret = await _secret(store, folder / "token_csm", now=now, name=name, role=Role.CSM, csm_email=email)
        made.append(
            DemoToken(who=f"{name}, a CSM", sees=f"{count} customers of {name}'s own come first.", secret=secret)
        )
    return made


async def _secret(store: Store, path: Path, *, now: datetime, name: str, role: Role, csm_email: str | None) -> str:
    """The one of the last run, while it is valid and the same person's."""
    known = _kept(path)
    viewer = None if known is None else await tokens.find_viewer(store, known, now=now)
    if known is not None and viewer is not None and (viewer.role, viewer.csm_email) == (role, csm_email):
        return known
    made = await tokens.create(store, name=name, role=role, csm_email=csm_email, now=now, expires_at=now + VALID)
    _keep(path, made.secret)
    return made.secret


def _kept(path: Path) -> str | None:
    return path.read_text(encoding="utf-8").strip() if path.exists() else None


def _keep(path: Path, secret: str) -> None:
    path.touch(mode=0o600)
    path.write_text(secret, encoding="utf-8")

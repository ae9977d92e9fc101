"""Tokens: shown once, stored as a digest, valid until they expire or are revoked."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from hub.access import Viewer, tokens
from hub.errors import NotFoundError, RefusedError
from hub.model.actions import Role, Scope
from hub.store import Store
from hub.store.tables import api_token

NOW = datetime(2026, 11, 1, tzinfo=UTC)


async def test_a_token_opens_for_its_holder(store: Store) -> None:
    new = await tokens.create(store, name=" dashboard ", role=Role.CSM, csm_email="ann@cs.example", now=NOW)
    assert new.secret.startswith("cshub_")
    assert len(new.secret) == len("cshub_") + 43
    assert await tokens.find_viewer(store, new.secret, now=NOW) == Viewer(
        token_id=new.token.id, name="dashboard", role=Role.CSM, csm_email="ann@cs.example"
    )


async def test_only_the_digest_is_stored_and_the_secret_is_in_no_repr(sqlite_store: Store) -> None:
    new = await tokens.create(sqlite_store, name="a", role=Role.ADMIN, now=NOW)
    async with sqlite_store.reading() as connection:
        row = (await connection.execute(select(api_token))).one()
    assert new.secret not in str(row)
    assert row.digest == tokens.digest(new.secret)
    assert new.secret not in repr(new)


@pytest.mark.parametrize("wrong", ["", "cshub_", "cshub_nonsense", "Bearer", "x" * 10_000, "cshub_é"])
async def test_nothing_else_opens(sqlite_store: Store, wrong: str) -> None:
    await tokens.create(sqlite_store, name="a", role=Role.VIEWER, now=NOW)
    assert await tokens.find_viewer(sqlite_store, wrong, now=NOW) is None


async def test_a_token_expires(store: Store) -> None:
    until = NOW + timedelta(days=1)
    new = await tokens.create(store, name="a", role=Role.VIEWER, now=NOW, expires_at=until)
    assert await tokens.find_viewer(store, new.secret, now=until - timedelta(seconds=1)) is not None
    assert await tokens.find_viewer(store, new.secret, now=until) is None


async def test_a_revoked_token_is_dead_and_stays_listed(store: Store) -> None:
    first = await tokens.create(store, name="first", role=Role.VIEWER, now=NOW)
    second = await tokens.create(store, name="second", role=Role.ADMIN, now=NOW + timedelta(minutes=1))
    revoked = await tokens.revoke(store, first.token.id, now=NOW + timedelta(hours=1))
    again = await tokens.revoke(store, first.token.id, now=NOW + timedelta(hours=2))
    assert revoked == again
    assert revoked.revoked_at == NOW + timedelta(hours=1)
    assert await tokens.find_viewer(store, first.secret, now=NOW) is None
    assert await tokens.find_viewer(store, second.secret, now=NOW) is not None
    assert [token.name for token in await tokens.list_tokens(store)] == ["second", "first"]


async def test_what_makes_no_sense_is_refused(sqlite_store: Store) -> None:
    with pytest.raises(RefusedError, match="needs a name"):
        await tokens.create(sqlite_store, name=" ", role=Role.VIEWER, now=NOW)
    with pytest.raises(RefusedError, match="expired already"):
        await tokens.create(sqlite_store, name="a", role=Role.VIEWER, now=NOW, expires_at=NOW)
    with pytest.raises(NotFoundError, match="tok_x"):
        await tokens.revoke(sqlite_store, "tok_x", now=NOW)
    assert await tokens.list_tokens(sqlite_store) == []


def test_roles_include_the_lower_ones() -> None:
    csm = Viewer(token_id="t", name="a", role=Role.CSM)
    assert [csm.may(role) for role in Role] == [True, True, False, False]


async def test_who_was_narrowed_makes_and_rotates_nothing_wider(sqlite_store: Store) -> None:
    narrow = frozenset({Scope.READ, Scope.ACT})
    wide = await tokens.create(sqlite_store, name="wide", role=Role.ADMIN, now=NOW)
    for scopes in (None, [Scope.READ, Scope.PERSONAL]):
        with pytest.raises(RefusedError, match="your own token has no scope"):
            await tokens.create(sqlite_store, name="x", role=Role.ADMIN, now=NOW, scopes=scopes, within=narrow)
    with pytest.raises(RefusedError, match="export, personal"):
        await tokens.rotate(sqlite_store, wide.token.id, overlap=timedelta(0), now=NOW, within=narrow)
    assert [each.id for each in await tokens.list_tokens(sqlite_store)] == [wide.token.id]
    assert await tokens.find_token(sqlite_store, wide.secret, now=NOW) is not None
    made = await tokens.create(sqlite_store, name="y", role=Role.ADMIN, now=NOW, scopes=[Scope.READ], within=narrow)
    again = await tokens.rotate(sqlite_store, made.token.id, overlap=timedelta(0), now=NOW, within=narrow)
    assert again.token.id == made.token.id

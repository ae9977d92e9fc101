"""Who comes in: secrets that overlap, scopes, books, a lookup known for a second, and uses written once a minute."""

from datetime import UTC, datetime, timedelta

import pytest

from hub.access import tokens
from hub.access.admission import Admission
from hub.access.viewer import NO_BOOK, SCOPES
from hub.errors import NotFoundError, RefusedError
from hub.model.actions import Role, Scope
from hub.store import Store
from tests.schema.test_everything import counting

NOW = datetime(2026, 11, 1, tzinfo=UTC)


class Seconds:
    """A clock that goes on when it is told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


async def last_uses(store: Store) -> dict[str, datetime | None]:
    return {token.name: token.last_used_at for token in await tokens.list_tokens(store)}


async def test_a_rotated_token_opens_with_both_secrets_until_the_overlap_ends(store: Store) -> None:
    first = await tokens.create(store, name="a", role=Role.CSM, now=NOW, csm_email="Ann@CS.example")
    second = await tokens.rotate(store, first.token.id, overlap=timedelta(days=7), now=NOW)
    assert (second.token.id, second.token.rotated_at) == (first.token.id, NOW)
    last = NOW + timedelta(days=7)
    for secret, at, opens in (
        (first.secret, last - timedelta(seconds=1), True),
        (first.secret, last, False),
        (second.secret, last, True),
    ):
        assert (await tokens.find_viewer(store, secret, now=at) is not None) is opens
    third = await tokens.rotate(store, first.token.id, overlap=timedelta(0), now=NOW)
    for secret, opens in ((first.secret, False), (second.secret, False), (third.secret, True)):
        assert (await tokens.find_viewer(store, secret, now=NOW) is not None) is opens


async def test_revoking_ends_every_secret_and_what_is_over_is_not_rotated(store: Store) -> None:
    first = await tokens.create(store, name="a", role=Role.CSM, now=NOW)
    second = await tokens.rotate(store, first.token.id, overlap=timedelta(days=1), now=NOW)
    await tokens.revoke(store, first.token.id, now=NOW)
    for secret in (first.secret, second.secret):
        assert await tokens.find_viewer(store, secret, now=NOW) is None
    with pytest.raises(RefusedError, match="not valid any more"):
        await tokens.rotate(store, first.token.id, overlap=timedelta(0), now=NOW)
    with pytest.raises(NotFoundError, match="tok_x"):
        await tokens.rotate(store, "tok_x", overlap=timedelta(0), now=NOW)
    with pytest.raises(RefusedError, match="0 to 90 days"):
        await tokens.rotate(store, first.token.id, overlap=timedelta(days=91), now=NOW)


async def test_scopes_are_some_of_the_roles(store: Store) -> None:
    made = await tokens.create(store, name="a", role=Role.ADMIN, now=NOW, scopes=[Scope.READ, Scope.EXPORT])
    found = await tokens.find_viewer(store, made.secret, now=NOW)
    assert found is not None
    assert found.scopes == {Scope.READ, Scope.EXPORT}
    whole = await tokens.create(store, name="b", role=Role.CSM, now=NOW)
    viewer = await tokens.find_viewer(store, whole.secret, now=NOW)
    assert viewer is not None
    assert viewer.scopes == SCOPES[Role.CSM] == {Scope.READ, Scope.PERSONAL, Scope.ACT}
    with pytest.raises(RefusedError, match="the role viewer has no scope act, personal; it has read"):
        await tokens.create(store, name="c", role=Role.VIEWER, now=NOW, scopes=[Scope.PERSONAL, Scope.ACT])
    with pytest.raises(RefusedError, match="needs a scope"):
        await tokens.create(store, name="c", role=Role.VIEWER, now=NOW, scopes=[])


@pytest.mark.parametrize(
    ("books", "role", "email", "book"),
    [
        (True, Role.CSM, "Ann@cs.example", "ann@cs.example"),
        (True, Role.CSM, None, NO_BOOK),
        (True, Role.MANAGER, "ann@cs.example", None),
        (True, Role.VIEWER, "ann@cs.example", None),
        (False, Role.CSM, "ann@cs.example", None),
    ],
)
async def test_only_csms_have_books_where_the_configuration_says_so(
    sqlite_store: Store, books: bool, role: Role, email: str | None, book: str | None
) -> None:
    made = await tokens.create(sqlite_store, name="a", role=role, now=NOW, csm_email=email)
    viewer = await Admission(sqlite_store, books=books).find_viewer(made.secret, now=NOW)
    assert viewer is not None
    assert viewer.book == book


async def test_a_token_is_known_for_a_second_and_not_longer(store: Store, seconds: Seconds) -> None:
    made = await tokens.create(store, name="a", role=Role.VIEWER, now=NOW, expires_at=NOW + timedelta(hours=1))
    admission = Admission(store, monotonic=seconds)
    assert await admission.find_viewer(made.secret, now=NOW) is not None
    with counting(store) as statements:
        for _ in range(50):
            assert await admission.find_viewer(made.secret, now=NOW) is not None
    assert statements == []
    assert await admission.find_viewer(made.secret, now=NOW + timedelta(hours=1)) is None  # its end needs no lookup
    await tokens.revoke(store, made.token.id, now=NOW)
    seconds.now += 0.99
    assert await admission.find_viewer(made.secret, now=NOW) is not None
    seconds.now += 0.02
    assert await admission.find_viewer(made.secret, now=NOW) is None


async def test_what_opens_nothing_is_looked_up_each_time_and_not_kept(sqlite_store: Store, seconds: Seconds) -> None:
    admission = Admission(sqlite_store, monotonic=seconds)
    for secret in ("cshub_x", "", "Bearer", "a.b.c", "x" * 100_000):
        assert await admission.find_viewer(secret, now=NOW) is None
    assert admission._known == {}


async def test_uses_are_written_together_once_a_minute(store: Store, seconds: Seconds) -> None:
    made = [await tokens.create(store, name=name, role=Role.VIEWER, now=NOW) for name in ("a", "b")]
    admission = Admission(store, monotonic=seconds)
    later = NOW + timedelta(seconds=9)
    await admission.find_viewer(made[0].secret, now=later)
    await admission.find_viewer(made[0].secret, now=NOW)
    seconds.now += 59
    await admission.find_viewer(made[1].secret, now=NOW)
    assert admission.uses.writing is None
    assert await last_uses(store) == {"a": None, "b": None}
    seconds.now += 1
    await admission.find_viewer(made[1].secret, now=NOW)
    assert admission.uses.writing is not None
    await admission.uses.writing
    assert await last_uses(store) == {"a": later, "b": NOW}
    await admission.find_viewer(made[1].secret, now=later)
    await admission.close()
    assert await last_uses(store) == {"a": later, "b": later}


async def test_an_earlier_use_never_comes_after_a_later_one(store: Store) -> None:
    made = await tokens.create(store, name="a", role=Role.VIEWER, now=NOW)
    for at in (NOW + timedelta(minutes=2), NOW):
        admission = Admission(store)  # of two processes
        await admission.find_viewer(made.secret, now=at)
        await admission.close()
    assert await last_uses(store) == {"a": NOW + timedelta(minutes=2)}

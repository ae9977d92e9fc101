"""Secrets at rest: encrypted under a key the store has not, rotated all or none, and shown to nobody."""

import logging
import traceback

import pytest
from sqlalchemy import select, update

from hub.access.vault import Vault, VaultError, delete_secret, list_secrets, new_key
from hub.errors import NotFoundError, RefusedError
from hub.store import Store
from hub.store.privacy.secrets import read_tokens
from hub.store.tables import stored_secret
from tests.fakes.clock import START

OLD, NEW = "an old key of thirty-two characters", "a new key of thirty-two characters!"
VALUE = "sk-live-0123456789"


async def tokens(store: Store) -> dict[str, tuple[str, str]]:
    async with store.reading() as connection:
        rows = await connection.execute(select(stored_secret))
        return {row.name: (row.token, row.key_id) for row in rows}


async def test_what_is_set_is_encrypted_and_can_be_opened_with_the_key_alone(store: Store) -> None:
    vault = Vault.of([OLD])
    assert await vault.set(store, "crm_token", VALUE, by="Ann", now=START) is True
    assert await vault.set(store, "crm_token", VALUE + "x", by="Bo", now=START) is False
    [(token, key_id)] = (await tokens(store)).values()
    assert VALUE not in token
    assert key_id == vault.key_ids[0]
    found = read_tokens(store.url)
    assert vault.opened(found) == {"crm_token": VALUE + "x"}
    [listed] = await list_secrets(store)
    assert (listed.name, listed.set_by) == ("crm_token", "Bo")
    assert VALUE not in repr((vault, listed, found))
    await delete_secret(store, "crm_token")
    with pytest.raises(NotFoundError, match="there are: none"):
        await delete_secret(store, "crm_token")


async def test_another_key_is_told_clearly_and_shows_nothing(
    sqlite_store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    await Vault.of([OLD]).set(sqlite_store, "crm_token", VALUE, by="Ann", now=START)
    other = Vault.of([NEW])
    with pytest.raises(VaultError, match="'crm_token' cannot be read with this key") as failed:
        other.opened(read_tokens(sqlite_store.url))
    told = "".join(traceback.format_exception(failed.value)) + caplog.text
    assert VALUE not in told
    assert OLD not in told
    assert NEW not in told


async def test_rotation_is_of_all_or_none(store: Store) -> None:
    for name in ("a", "b"):
        await Vault.of([OLD]).set(store, name, VALUE + name, by="Ann", now=START)
    await Vault.of([new_key()]).set(store, "c", "lost", by="Ann", now=START)
    before = await tokens(store)
    with pytest.raises(VaultError, match="'c'"):
        await Vault.of([NEW, OLD]).rotate(store)
    assert await tokens(store) == before
    await delete_secret(store, "c")
    assert await Vault.of([NEW, OLD]).rotate(store) == 2
    after = Vault.of([NEW])
    assert after.opened(read_tokens(store.url)) == {"a": VALUE + "a", "b": VALUE + "b"}
    assert {key_id for _, key_id in (await tokens(store)).values()} == {after.key_ids[0]}
    with pytest.raises(VaultError):
        Vault.of([OLD]).opened(read_tokens(store.url))


async def test_a_token_under_another_name_is_not_taken(sqlite_store: Store) -> None:
    vault = Vault.of([OLD])
    await vault.set(sqlite_store, "mine", VALUE, by="Ann", now=START)
    async with sqlite_store.transaction() as connection:
        await connection.execute(update(stored_secret).values(name="yours"))
    with pytest.raises(VaultError, match="under another name"):
        vault.opened(read_tokens(sqlite_store.url))


@pytest.mark.parametrize("name", ["", "Crm", "a b", "1a", "x" * 61])
async def test_names_and_keys_are_checked(sqlite_store: Store, name: str) -> None:
    with pytest.raises(RefusedError, match="is no name"):
        await Vault.of([OLD]).set(sqlite_store, name, VALUE, by="Ann", now=START)
    with pytest.raises(RefusedError, match="1 to"):
        await Vault.of([OLD]).set(sqlite_store, "a", "", by="Ann", now=START)
    with pytest.raises(RefusedError, match="32 characters"):
        Vault.of(["short"])
    with pytest.raises(RefusedError, match="cshub secret key"):
        Vault.of([])
    assert await tokens(sqlite_store) == {}

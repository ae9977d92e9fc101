"""REST hooks wired to a hub: its routes, the job of every minute that tells, and where the ledger's addresses lead."""

from typing import TYPE_CHECKING

from hub.access.admission import Admission
from hub.access.vault import Vault
from hub.compose.admission import viewer_finder
from hub.delivery.reach import network
from hub.delivery.webhook import Endpoint, Find
from hub.durable import Argument
from hub.playbooks.jobs import SWEEP
from hub.resthooks import ADDRESS, find_endpoint, tell
from hub.settings import Settings
from hub.settings.loading import load_secret_keys
from hub.store import Store
from hub.web.receiving import Routes
from hub.web.resthooks import RestHooks

if TYPE_CHECKING:
    from hub.compose.hub import Hub

TELL = "resthooks.tell"
EVERY_MINUTE = "* * * * *"


def vault_of(settings: Settings) -> Vault | None:
    """None where no key is set."""
    keys = load_secret_keys(settings.folder)
    return Vault.of(keys) if keys else None


def finder(settings: Settings, store: Store) -> Find | None:
    """Looks up where a hook's messages go; None where there can be no hooks."""
    vault = vault_of(settings)
    if vault is None:
        return None

    async def find(address: str) -> Endpoint | None:
        return await find_endpoint(store, address, vault=vault) if address.startswith(ADDRESS) else None

    return find


def register(hub: "Hub") -> None:
    """Tell the durable engine when to tell. Before it starts; nothing to tell where there can be no hooks."""
    if vault_of(hub.settings) is None:
        return

    async def on_tell(_: Argument) -> None:
        if await tell(hub.store, now=hub.clock()):
            await hub.durable.enqueue(SWEEP, {}, key=f"{TELL}:{hub.clock().isoformat()}")

    hub.durable.register(TELL, on_tell)
    hub.durable.every(TELL, EVERY_MINUTE, TELL, {})


def resthook_routes(hub: "Hub", admission: Admission) -> Routes:
    given = hub.settings.hub.webhooks
    made = RestHooks(
        store=hub.store,
        find_viewer=viewer_finder(hub, admission),
        vault=vault_of(hub.settings),
        allowed=[network(each) for each in given.allow] if given else [],
        clock=hub.clock,
    )
    return made.routes()

"""Names of plans, and which version of the product catalog the site has: version 1 has plans, version 2 item prices.

The list of the other version answers `configuration_incompatible`; the first answer tells which, once a process.
"""

from collections.abc import Mapping
from typing import Literal

from connectors.chargebee.listing import listing
from connectors.chargebee.refusals import WrongCatalogError
from connectors.kit.http import Client, Params

Version = Literal["auto", "1", "2"]
LISTS: Mapping[str, tuple[str, str]] = {"2": ("item_prices", "item_price"), "1": ("plans", "plan")}


class Catalog:
    def __init__(self, version: Version) -> None:
        self.version = version
        self._of: Client | None = None
        self._names: Mapping[str, str] = {}

    async def names(self, client: Client) -> Mapping[str, str]:
        """Names of plans by id, read once a pull."""
        if self._of is not client:
            self._names = await self._read(client)
            self._of = client
        return self._names

    async def _read(self, client: Client) -> Mapping[str, str]:
        if self.version != "auto":
            return await self._listed(client, self.version)
        try:
            names = await self._listed(client, "2")
            self.version = "2"
        except WrongCatalogError:
            names = await self._listed(client, "1")
            self.version = "1"
        return names

    async def _listed(self, client: Client, version: str) -> Mapping[str, str]:
        name, wrapped = LISTS[version]
        params: Params = {"limit": 100}
        found: dict[str, str] = {}
        async for rows in listing(client, name, wrapped, params):
            for row in rows:
                found[str(row["id"])] = str(row.get("external_name") or row.get("name") or row["id"])
        return found

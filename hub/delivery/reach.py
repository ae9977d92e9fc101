"""Where a webhook may go: to public addresses over https, and to private ones only where the settings name their network.

Without this whoever can set an address could have the hub call the cloud's metadata service or an internal admin page. The
name is looked up once and the connection goes to the very address that was judged, so that a name that answers differently
the second time (DNS rebinding) gains nothing.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

from hub.delivery.base import Refusal, Rejected

Network = IPv4Network | IPv6Network
Lookup = Callable[[str, int], Awaitable[Sequence[str]]]
"""(host, port) -> its addresses; OSError where there are none."""
_NAT64 = IPv6Network("64:ff9b::/96")
_LOCAL_NAT64 = IPv6Network("64:ff9b:1::/48")
"""Leads into a network of one's own (RFC 8215); not every Python knows that."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where to connect to: `url` with the address in it, and the `host` (with its port) that is meant."""

    url: str
    host: str
    name: str


async def look_up(host: str, port: int) -> Sequence[str]:
    """As the operating system does."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(each[4][0]) for each in found))


async def judged(
    url: str, *, to: str, allowed: Sequence[Network], lookup: Lookup = look_up, setting: str = "webhooks.allow"
) -> Place:
    """Where `url` leads; raise Rejected where nothing may be sent there. `to`: how errors speak of it.

    setting  where `allowed` stands
    """
    try:
        parts = urlsplit(url)
        port = parts.port or {"https": 443, "http": 80}.get(parts.scheme, 0)
    except ValueError:
        parts, port = urlsplit(""), 0
    name = parts.hostname or ""
    if parts.scheme not in ("http", "https") or not name or parts.username or parts.password:
        raise Rejected(f"the address of {to} must be https://host/…", kind=Refusal.PERMANENT)
    try:
        addresses = [ip_address(each.partition("%")[0]) for each in await lookup(name, port)]
    except (OSError, UnicodeError) as error:
        raise Rejected(
            f"the name of {to} cannot be looked up: {type(error).__name__}", kind=Refusal.TRANSIENT
        ) from None
    if not addresses:
        raise Rejected(f"the name of {to} has no address", kind=Refusal.TRANSIENT)
    named = all(_is_in(each, allowed) for each in addresses)
    if not named and not all(_is_public(each) or _is_in(each, allowed) for each in addresses):
        raise Rejected(
            f"{to} is at a private address: name its network under {setting} where that is meant",
            kind=Refusal.PERMANENT,
        )
    if parts.scheme == "http" and not named:
        raise Rejected(f"{to} is public and must be called over https", kind=Refusal.PERMANENT)
    chosen = addresses[0]
    literal = f"[{chosen}]" if isinstance(chosen, IPv6Address) else str(chosen)
    return Place(
        url=parts._replace(netloc=f"{literal}:{port}", fragment="").geturl(),
        host=parts.netloc,
        name=name,
    )


def network(value: str) -> Network:
    """A network as settings write it; ValueError where it is none."""
    return ip_network(value)


def _is_in(address: IPv4Address | IPv6Address, networks: Sequence[Network]) -> bool:
    return any(address.version == each.version and address in each for each in networks)


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether the address, and any other that is wrapped in it, is one of the public internet."""
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if inner is None and address in _NAT64:
            inner = IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return _is_public(inner)
        if address in _LOCAL_NAT64:
            return False
    return address.is_global and not address.is_multicast and not address.is_reserved

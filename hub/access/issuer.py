"""The public keys of an OpenID Connect issuer, by their ids: fetched once, kept, and fetched anew when the issuer rotates.

    keys = IssuerKeys("https://login.example.com", algorithms=["RS256"])
    await keys.find("kid of a token's header", "RS256")          the key, or None

The address of the keys comes from the issuer's discovery document, unless it is configured. What is kept is fetched anew after
`FRESH_FOR`, and when a token names a key that is not known, but never sooner than `PAUSE` after the last time: tokens that
somebody makes up cannot make the hub call the issuer. While the issuer does not answer, keys that are known are used on, for
a day at most. Where none are known, nobody can say whether a token is good: that is IssuerAwayError, and no refusal.

Only keys for signatures with asymmetric algorithms count. A shared secret in the set is passed over.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from jwt import PyJWK
from jwt.exceptions import InvalidKeyError, PyJWKError

from hub.access.fetching import FetchError, Fetching
from hub.errors import TransientError

log = logging.getLogger(__name__)
KEY_TYPES: Mapping[str, str] = {
    **dict.fromkeys(("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"), "RSA"),
    **dict.fromkeys(("ES256", "ES384", "ES512"), "EC"),
    "EdDSA": "OKP",
}
"""The algorithms there are, all asymmetric, and the type of key each needs."""
FRESH_FOR = 600.0
STALE_AFTER = 86_400.0
PAUSE = 10.0
FEWEST_BITS = 2048
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class IssuerAwayError(TransientError):
    """The issuer's keys are not known, and cannot be fetched now."""


class IssuerKeys:
    """See the module. `jwks_url`: None for the one of the discovery document. Seconds everywhere."""

    def __init__(
        self,
        issuer: str,
        *,
        algorithms: Sequence[str],
        jwks_url: str | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._issuer = issuer
        self._algorithms = frozenset(algorithms)
        self._jwks_url = jwks_url
        self._monotonic = monotonic
        self._keys: dict[tuple[str | None, str], PyJWK] = {}
        self._fetched_at: float | None = None
        self._tried_at: float | None = None
        self._lock = asyncio.Lock()
        self._fetching = Fetching()

    async def find(self, kid: str | None, algorithm: str) -> PyJWK | None:
        """The key with this id; without an id the only one there is for the algorithm. IssuerAwayError: see the module."""
        if self._age() > FRESH_FOR or self._known(kid, algorithm) is None:
            await self._refresh(kid, algorithm)
        if self._age() > STALE_AFTER:
            raise IssuerAwayError("the issuer of tokens does not answer: try again in a moment")
        return self._known(kid, algorithm)

    async def close(self) -> None:
        await self._fetching.close()

    def _age(self) -> float:
        return float("inf") if self._fetched_at is None else self._monotonic() - self._fetched_at

    def _known(self, kid: str | None, algorithm: str) -> PyJWK | None:
        if kid is not None:
            return self._keys.get((kid, algorithm))
        fitting = [key for (_, name), key in self._keys.items() if name == algorithm]
        return fitting[0] if len(fitting) == 1 else None

    async def _refresh(self, kid: str | None, algorithm: str) -> None:
        async with self._lock:
            now = self._monotonic()
            needed = self._age() > FRESH_FOR or self._known(kid, algorithm) is None
            if not needed or (self._tried_at is not None and now - self._tried_at < PAUSE):
                return
            self._tried_at = now
            try:
                keys = _usable(await self._fetching.get(await self._address()), self._algorithms)
            except (FetchError, ValueError) as error:
                log.warning("the keys of %s could not be fetched: %s", self._issuer, error)
                return
            self._keys, self._fetched_at = keys, now

    async def _address(self) -> str:
        if self._jwks_url is not None:
            return self._jwks_url
        found = await self._fetching.get(self._issuer.rstrip("/") + "/.well-known/openid-configuration")
        if found.get("issuer") != self._issuer:
            raise ValueError(f"its discovery document is of another issuer: {str(found.get('issuer'))[:200]!r}")
        address = found.get("jwks_uri")
        if not isinstance(address, str) or not is_safe(address):
            raise ValueError("the jwks_uri of its discovery document must begin with https://")
        return address


def is_safe(address: str) -> bool:
    """Whether what comes from there is what its owner sent: https, or a place on this machine."""
    try:
        parts = urlsplit(address)
        host = parts.hostname
    except ValueError:
        return False
    return bool(host) and (parts.scheme == "https" or (parts.scheme == "http" and host in LOOPBACK))


def _usable(document: Mapping[str, Any], algorithms: frozenset[str]) -> dict[tuple[str | None, str], PyJWK]:
    """{(key id, algorithm): key} of a key set; ValueError where it is none."""
    listed = document.get("keys")
    if not isinstance(listed, list):
        raise ValueError("its key set has no list of keys")
    found: dict[tuple[str | None, str], PyJWK] = {}
    for place, raw in enumerate(listed):
        if not isinstance(raw, dict) or raw.get("use", "sig") != "sig":
            continue
        kid = raw.get("kid")
        for name in sorted(algorithms):
            if KEY_TYPES[name] != raw.get("kty") or raw.get("alg", name) != name:
                continue
            public = {key: value for key, value in raw.items() if key != "d"}  # a private key is nobody's to publish
            try:
                key = PyJWK(public, algorithm=name)
            except (InvalidKeyError, PyJWKError, ValueError):
                continue  # of a curve that is another algorithm's
            if getattr(key.key, "key_size", FEWEST_BITS) >= FEWEST_BITS or KEY_TYPES[name] != "RSA":
                found[(kid if isinstance(kid, str) else f"#{place}", name)] = key
    return found

"""Access tokens of an OpenID Connect issuer: JWTs that the company's own sign-on makes, read as viewers.

A token is taken where it is signed by a key that the issuer publishes, with an asymmetric algorithm that hub.yaml lists, for
this hub (`aud`) by this issuer (`iss`), within its time (`exp`, `nbf`, `iat`, with a leeway for clocks), and where one of its
roles is mapped to a role of ours: of several the highest. Neither `none` nor a shared secret is an algorithm here, so that a
public key can never be used as one. Whatever else is wrong, the answer is the same: nobody.

Claims are named as they are, or by a path with dots: realm_access.roles.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
from jwt.exceptions import InvalidTokenError
from jwt.types import Options

from hub.access.issuer import KEY_TYPES, IssuerAwayError, IssuerKeys
from hub.access.viewer import RANK, Viewer, person_id
from hub.model.actions import Role

LEEWAY = timedelta(seconds=30)
_UNCHECKED: Options = {
    "verify_exp": False,
    "verify_nbf": False,
    "verify_iat": False,
    "require": ["exp", "iss", "aud", "sub"],
}
"""Times are checked here, by the hub's own clock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OidcRules:
    """audience: any of these must be the token's. roles: {value of the claim `roles_claim`: role}.

    clients     programs that may have asked the issuer for the token, by its `azp` or `client_id`; None: any
    """

    issuer: str
    audience: tuple[str, ...]
    roles: Mapping[str, Role]
    clients: tuple[str, ...] | None = None
    jwks_url: str | None = None
    algorithms: tuple[str, ...] = ("RS256", "ES256")
    email_claim: str = "email"
    roles_claim: str = "roles"


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """A token that is good. algorithm: of its signature; until: when it ends."""

    claims: Mapping[str, Any] = field(repr=False)
    algorithm: str
    until: datetime


class Oidc:
    """See the module."""

    def __init__(self, rules: OidcRules, *, keys: IssuerKeys | None = None) -> None:
        self._rules = rules
        self._keys = keys or IssuerKeys(rules.issuer, algorithms=rules.algorithms, jwks_url=rules.jwks_url)

    async def find_viewer(self, token: str, *, now: datetime) -> Viewer | None:
        """Who holds the token; None where it is not one of the issuer for this hub, or has none of the mapped roles.

        IssuerAwayError where it says it is the issuer's, and the issuer's keys are not to be had.
        """
        read = await self.read(token, now=now)
        return None if read is None else self.viewer_of(read.claims, until=read.until)

    async def read(self, token: str, *, now: datetime) -> Read | None:
        """What a token says that is the issuer's, for this hub, and of this time. IssuerAwayError: as of `find_viewer`."""
        found = await self._claims(token)
        until = None if found is None else _valid_until(found[0], now)
        if found is None or until is None or not self._of_client(found[0]):
            return None
        return Read(claims=found[0], algorithm=found[1], until=until)

    def names_roles(self, claims: Mapping[str, Any]) -> bool:
        """Whether there is a claim of roles, with whatever in it."""
        return _found(claims, self._rules.roles_claim) is not None

    def viewer_of(self, claims: Mapping[str, Any], *, until: datetime) -> Viewer | None:
        """Who the claims speak of; None where they have none of the mapped roles, or an address that is not theirs."""
        role = self._role(claims)
        email = _found(claims, self._rules.email_claim)
        if role is None or (email is not None and not isinstance(email, str)) or claims.get("email_verified") is False:
            return None
        return Viewer(
            token_id=person_id(claims["iss"], claims["sub"]),
            name=str(email or claims.get("name") or claims["sub"])[:120],
            role=role,
            csm_email=email.strip().lower() if email and "@" in email else None,
            expires_at=until,
        )

    async def close(self) -> None:
        await self._keys.close()

    async def _claims(self, token: str) -> tuple[Mapping[str, Any], str] | None:
        """What a token with a good signature says, for this hub by this issuer, and how it is signed."""
        try:
            header = jwt.get_unverified_header(token)
            algorithm, kid = header.get("alg"), header.get("kid")
            if algorithm not in self._rules.algorithms or algorithm not in KEY_TYPES or "crit" in header:
                return None
            if kid is not None and not isinstance(kid, str):
                return None
            try:
                key = await self._keys.find(kid, algorithm)
            except IssuerAwayError:
                if jwt.decode(token, options={"verify_signature": False}).get("iss") != self._rules.issuer:
                    return None
                raise
            if key is None:
                return None
            claims: Mapping[str, Any] = jwt.decode(
                token,
                key.key,
                algorithms=[algorithm],
                audience=list(self._rules.audience),
                issuer=self._rules.issuer,
                options=_UNCHECKED,
            )
        except (InvalidTokenError, ValueError, TypeError):
            return None
        return (claims, algorithm) if isinstance(claims["sub"], str) and claims["sub"] else None

    def _of_client(self, claims: Mapping[str, Any]) -> bool:
        """Whether who asked for the token may have; some issuers call it otherwise, and where two say it both must agree."""
        clients = self._rules.clients
        said = [claims[name] for name in ("azp", "client_id", "appid", "cid") if name in claims]
        return clients is None or (bool(said) and all(each in clients for each in said))

    def _role(self, claims: Mapping[str, Any]) -> Role | None:
        given = _found(claims, self._rules.roles_claim)
        if isinstance(given, str):
            given = given.replace(",", " ").split()
        if not isinstance(given, list):
            return None
        mapped = [self._rules.roles[each] for each in given if isinstance(each, str) and each in self._rules.roles]
        return max(mapped, key=lambda role: RANK[role], default=None)


def hash_fits(at_hash: object, access_token: str, algorithm: str) -> bool:
    """Whether an id_token's at_hash is of this access token (OpenID Connect Core 1.0, section 3.1.3.6)."""
    made = hashlib.new(f"sha{algorithm[-3:]}" if algorithm[-3:].isdigit() else "sha512", access_token.encode()).digest()
    half = base64.urlsafe_b64encode(made[: len(made) // 2]).rstrip(b"=").decode()
    return isinstance(at_hash, str) and hmac.compare_digest(at_hash.rstrip("=").encode(), half.encode())


def _valid_until(claims: Mapping[str, Any], now: datetime) -> datetime | None:
    """When the token ends; None where it has, or has not begun."""
    times = [claims.get(name) for name in ("exp", "nbf", "iat")]
    if any(isinstance(each, bool) or (each is not None and not isinstance(each, int | float)) for each in times):
        return None
    try:
        until, *begins = [None if each is None else datetime.fromtimestamp(each, UTC) for each in times]
    except (ValueError, OverflowError, OSError):
        return None
    if until is None or now >= until + LEEWAY or any(each is not None and each > now + LEEWAY for each in begins):
        return None
    return until


def _found(claims: Mapping[str, Any], name: str) -> Any:
    """A claim by its name, or by a path with dots."""
    if name in claims:
        return claims[name]
    value: Any = claims
    for part in name.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value

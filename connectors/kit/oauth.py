"""OAuth 2.0 for sources without a person at hand: access tokens by client credentials, refresh token or signed JWT.

    tokens = Tokens(token_url, grant=ClientCredentials(client_id, client_secret), vault=vault)
    Client(…, authorize=tokens.current, renew=tokens.renew)

`current` gives the Authorization value there is, and asks for a token where there is none or it is about to run out;
`renew` asks for a new one (the vendor said 401). Some vendors' refresh tokens are used up by being used and come with their
successor: that one is handed to the vault *before* the new access token is used, so that a process that dies in between
leaves no source locked out. What the vault keeps is a flat mapping of texts, secret as a whole:

    refresh_token, access_token, expires_at    the newest ones; seconds since 1970 as text
    of                                         digest of the credential they descend from: a person who enters another
                                               one makes what was kept void
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from urllib.parse import urlsplit

import httpx
import jwt
from pydantic import SecretStr

from connectors.kit import tempo
from connectors.kit.budget import Budget
from connectors.kit.credentials import basic
from connectors.kit.errors import ConnectorError, ContractError, DeniedError
from connectors.kit.http import Client
from connectors.kit.reply import Reply
from connectors.kit.retry import Retry, Sleep
from hub.clock import utc_now

Kept = Mapping[str, str]
Keep = Callable[[Kept], Awaitable[None]]
Recall = Callable[[], Awaitable[Kept]]

EARLY = 60.0
"""Seconds before its end from which a token is no longer used."""
REFUSED = frozenset({400, 401, 403})


class Vault:
    """Where what must outlive the process is kept.

    kept    what was kept before
    keep    stores a mapping durably before it returns; None: this process remembers it, no other does
    recall  what is kept now: another process may have renewed since. None: what this one knows
    """

    def __init__(self, kept: Kept | None = None, *, keep: Keep | None = None, recall: Recall | None = None) -> None:
        self._kept, self._keep, self._recall = dict(kept or {}), keep, recall

    async def recall(self) -> Kept:
        if self._recall is not None:
            self._kept = dict(await self._recall())
        return self._kept

    async def keep(self, kept: Kept) -> None:
        if self._keep is not None:
            await self._keep(kept)
        self._kept = dict(kept)


class Grant(Protocol):
    """How tokens are asked for.

    credential  what identifies it, for telling whether what was kept descends from it; only hashed
    form        the request's fields; `refresh_token` is the newest one there is, None where none was kept
    secrets     texts that may appear in no message
    """

    @property
    def client_id(self) -> str: ...

    @property
    def client_secret(self) -> SecretStr | None: ...

    @property
    def credential(self) -> str: ...

    @property
    def secrets(self) -> tuple[str, ...]: ...

    def form(self, *, refresh_token: str | None, token_url: str, now: datetime) -> dict[str, str]: ...


@dataclass(frozen=True, slots=True)
class ClientCredentials:
    """RFC 6749, 4.4. `extra`: what a vendor wants besides, such as an audience."""

    client_id: str
    client_secret: SecretStr | None
    scope: str | None = None
    extra: Mapping[str, str] = field(default_factory=dict)

    @property
    def credential(self) -> str:
        return f"{self.client_id}\0{_bare(self.client_secret)}"

    @property
    def secrets(self) -> tuple[str, ...]:
        return (_bare(self.client_secret),)

    def form(self, *, refresh_token: str | None, token_url: str, now: datetime) -> dict[str, str]:
        return {"grant_type": "client_credentials", **({"scope": self.scope} if self.scope else {}), **self.extra}


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """RFC 6749, 6. `refresh_token` is the first one, as a person entered it; later ones come from the vault."""

    client_id: str
    client_secret: SecretStr | None
    refresh_token: SecretStr

    @property
    def credential(self) -> str:
        return f"{self.client_id}\0{_bare(self.refresh_token)}"

    @property
    def secrets(self) -> tuple[str, ...]:
        return (_bare(self.client_secret), _bare(self.refresh_token))

    def form(self, *, refresh_token: str | None, token_url: str, now: datetime) -> dict[str, str]:
        return {"grant_type": "refresh_token", "refresh_token": refresh_token or _bare(self.refresh_token)}


@dataclass(frozen=True, slots=True)
class JwtBearer:
    """RFC 7523: an assertion signed with the private key in `key` (PEM), good for `lifetime` seconds.

    client_id  the issuer
    subject    in whose name; None leaves it out
    audience   None: the token's URL
    claims     more of them, such as Google's `scope`
    """

    client_id: str
    key: SecretStr
    subject: str | None = None
    audience: str | None = None
    claims: Mapping[str, str] = field(default_factory=dict)
    key_id: str | None = None
    algorithm: str = "RS256"
    lifetime: int = 180
    client_secret: SecretStr | None = None

    @property
    def credential(self) -> str:
        return f"{self.client_id}\0{self.subject}\0{_bare(self.key)}"

    @property
    def secrets(self) -> tuple[str, ...]:
        return (_bare(self.client_secret), _bare(self.key))

    def form(self, *, refresh_token: str | None, token_url: str, now: datetime) -> dict[str, str]:
        issued = int(now.timestamp())
        claims: dict[str, str | int] = {
            "iss": self.client_id,
            "aud": self.audience or token_url,
            "iat": issued,
            "exp": issued + self.lifetime,
            **({"sub": self.subject} if self.subject else {}),
            **self.claims,
        }
        headers = {"kid": self.key_id} if self.key_id else None
        try:
            assertion = jwt.encode(claims, _bare(self.key), algorithm=self.algorithm, headers=headers)
        except (jwt.PyJWTError, ValueError, TypeError):
            raise DeniedError(
                f"the private key is no PEM key for {self.algorithm}; copy it again, line ends included"
            ) from None
        return {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": assertion}


class Tokens:
    """One credential's access tokens.

    token_url     the vendor's token endpoint
    basic_auth    whether client id and secret go into the Authorization header (True), or into the form
    lifetime      seconds a token is used where the vendor does not say how long it is good for; None: until a 401
    transport, sleep, clock    for tests

    Errors are those of the kit: DeniedError where the vendor refuses (a person must authorise again), never with a secret.
    """

    def __init__(
        self,
        token_url: str,
        *,
        grant: Grant,
        vault: Vault | None = None,
        basic_auth: bool = False,
        lifetime: float | None = None,
        proxy: SecretStr | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        retry: Retry | None = None,
        sleep: Sleep = tempo.sleep,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._url, self._grant, self._vault = token_url, grant, vault or Vault()
        self._basic, self._lifetime, self._proxy = basic_auth, lifetime, proxy
        self._transport, self._retry, self._sleep, self._clock = transport, retry, sleep, clock
        self._of = hashlib.sha256(grant.credential.encode()).hexdigest()
        self._lock = asyncio.Lock()

    async def current(self) -> str:
        """An Authorization value that is good for a minute at least, as far as the vendor has said."""
        async with self._lock:
            kept = await self._kept()
            return f"Bearer {kept['access_token']}" if self._good(kept) else await self._asked(kept)

    async def renew(self) -> str:
        """A new Authorization value, whatever is kept."""
        async with self._lock:
            return await self._asked(await self._kept())

    async def _kept(self) -> Kept:
        kept = await self._vault.recall()
        return kept if kept.get("of") == self._of else {}

    def _good(self, kept: Kept) -> bool:
        ends = kept.get("expires_at")
        return "access_token" in kept and (ends is None or float(ends) - EARLY > self._clock().timestamp())

    async def _asked(self, kept: Kept) -> str:
        now, known = self._clock(), kept.get("refresh_token")
        form = self._grant.form(refresh_token=known, token_url=self._url, now=now)
        answer = await self._post(form, secrets=(*self._grant.secrets, known or "", form.get("assertion", "")))
        access = answer.get("access_token") if isinstance(answer, Mapping) else None
        if not isinstance(access, str) or not access:
            raise ContractError(f"{self._place} answered without an access token")
        seconds = answer.get("expires_in", self._lifetime)
        fresh = {"of": self._of, "access_token": access}
        if refresh := answer.get("refresh_token") or known:
            fresh["refresh_token"] = str(refresh)
        if seconds is not None:
            fresh["expires_at"] = str(round(now.timestamp() + float(str(seconds))))
        await self._vault.keep(fresh)  # before use: the old refresh token may be void by now
        return f"Bearer {access}"

    async def _post(self, form: dict[str, str], *, secrets: tuple[str, ...]) -> Mapping[str, object]:
        target, grant = urlsplit(self._url), self._grant
        if self._basic:
            authorization = basic(grant.client_id, grant.client_secret or SecretStr(""))
        else:
            authorization = None
            if "assertion" not in form:
                form = {**form, "client_id": grant.client_id}
                if grant.client_secret is not None:
                    form["client_secret"] = _bare(grant.client_secret)
        async with Client(
            f"{target.scheme}://{target.netloc}",
            budget=Budget({}),
            authorization=authorization,
            headers={"Accept": "application/json"},
            judge=lambda reply, now: _refused(reply, secrets),
            retry=self._retry,
            proxy=self._proxy,
            transport=self._transport,
            sleep=self._sleep,
            clock=self._clock,
        ) as client:
            answer: Mapping[str, object] = await client.post_json(target.path, form=form)
            return answer

    @property
    def _place(self) -> str:
        target = urlsplit(self._url)
        return f"POST {target.netloc}{target.path}"


def _refused(reply: Reply, secrets: tuple[str, ...]) -> ConnectorError | None:
    """RFC 6749, 5.2: whatever is wrong with a request for a token is for a person to put right."""
    if reply.status not in REFUSED:
        return None
    body = reply.parsed()
    told = body if isinstance(body, Mapping) else {}
    words = " ".join(str(told[key]) for key in ("error", "error_description") if told.get(key)) or reply.said()
    for secret in secrets:
        if len(secret) >= 4:
            words = words.replace(secret, "***")
    again = "; authorise the source again" if told.get("error") == "invalid_grant" else ""
    return DeniedError(f"{reply.place} gives no access token: {' '.join(words.split())[:200]}{again}")


def _bare(secret: SecretStr | None) -> str:
    return secret.get_secret_value() if secret is not None else ""

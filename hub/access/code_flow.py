"""Signing in at the company's own sign-on: OpenID Connect's authorization code flow, with PKCE.

    begun = await flow.begin()                       send the browser to begun.url; keep begun in the browser, sealed
    person = await flow.finish(begun.kept, …)        the browser is back: who that is

A code counts once, only with the verifier that this browser was given (RFC 7636), and its id_token only for this hub, by this
issuer, within its time, with the nonce of this browser. What people hold at the issuer becomes a role as hub.access.oidc says;
where the id_token names no roles, those of the issuer's userinfo count. Neither codes nor tokens are logged or kept.
"""

import base64
import hashlib
import hmac
import logging
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import quote_plus, urlencode

from hub.access.fetching import FetchError, Fetching
from hub.access.issuer import FRESH_FOR, PAUSE, IssuerAwayError, is_safe
from hub.access.oidc import Oidc, hash_fits
from hub.access.sessions import Person
from hub.errors import RefusedError

log = logging.getLogger(__name__)
AWAY = "The sign-on does not answer now: try again in a moment."


class SignOnError(RefusedError):
    """Nobody is signed in; the message is fit to show."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeRules:
    """redirect_uri: where browsers come back to, as the issuer knows it. client_secret: None for a public client."""

    issuer: str
    client_id: str
    redirect_uri: str
    client_secret: str | None = field(default=None, repr=False)
    scopes: Sequence[str] = ("openid", "email", "profile")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What the browser keeps until it is back, where no page can read it."""

    state: str
    nonce: str
    verifier: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    url: str
    kept: Kept


class CodeFlow:
    """See the module. oidc: reads id_tokens, those with `client_id` as their audience."""

    def __init__(self, rules: CodeRules, oidc: Oidc, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._rules = rules
        self._oidc = oidc
        self._monotonic = monotonic
        self._fetching = Fetching()
        self._document: Mapping[str, Any] | None = None
        self._fetched_at = self._tried_at = float("-inf")

    async def begin(self) -> Begun:
        """A new sign-in. IssuerAwayError where the issuer does not say where to."""
        address = self._endpoint(await self._discovered(), "authorization_endpoint")
        kept = Kept(
            state=secrets.token_urlsafe(24), nonce=secrets.token_urlsafe(32), verifier=secrets.token_urlsafe(32)
        )
        asked = {
            "response_type": "code",
            "client_id": self._rules.client_id,
            "redirect_uri": self._rules.redirect_uri,
            "scope": " ".join(self._rules.scopes),
            "state": kept.state,
            "nonce": kept.nonce,
            "code_challenge": _encoded(hashlib.sha256(kept.verifier.encode()).digest()),
            "code_challenge_method": "S256",
        }
        return Begun(url=f"{address}{'&' if '?' in address else '?'}{urlencode(asked)}", kept=kept)

    async def finish(self, kept: Kept, answer: Mapping[str, str], *, now: datetime) -> Person:
        """Who came back with `answer`, the parameters of the address. SignOnError; IssuerAwayError."""
        document = await self._discovered()
        code = self._code(kept, answer, document)
        tokens = await self._redeemed(self._endpoint(document, "token_endpoint"), code, kept.verifier)
        return await self._person(tokens, kept.nonce, document, now=now)

    async def close(self) -> None:
        await self._fetching.close()
        await self._oidc.close()

    def _code(self, kept: Kept, answer: Mapping[str, str], document: Mapping[str, Any]) -> str:
        if not hmac.compare_digest(answer.get("state", "").encode(), kept.state.encode()):
            raise SignOnError("This answer of the sign-on is not to what this browser asked: sign in once more.")
        says_who = document.get("authorization_response_iss_parameter_supported") is True
        if ("iss" in answer or says_who) and answer.get("iss") != self._rules.issuer:  # RFC 9207
            raise SignOnError("This answer is of another sign-on than this hub's.")
        if error := answer.get("error"):
            log.info("the sign-on refused somebody: %s", _shown(error))
            denied = error == "access_denied"
            raise SignOnError(
                "The sign-on was left, or let you not in." if denied else f"The sign-on said: {_shown(error)}."
            )
        if not answer.get("code"):
            raise SignOnError("The sign-on sent you back without a code: sign in once more.")
        return answer["code"]

    async def _redeemed(self, address: str, code: str, verifier: str) -> Mapping[str, Any]:
        rules = self._rules
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": rules.redirect_uri,
            "code_verifier": verifier,
            "client_id": rules.client_id,
        }
        basic = None
        if rules.client_secret is not None:
            ways = (self._document or {}).get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
            if isinstance(ways, list) and "client_secret_basic" not in ways and "client_secret_post" in ways:
                form["client_secret"] = rules.client_secret
            else:  # RFC 6749, section 2.3.1: both are form-encoded before they are put together
                basic = (quote_plus(rules.client_id), quote_plus(rules.client_secret))
        try:
            status, found = await self._fetching.post(address, form, basic=basic)
        except FetchError as error:
            log.warning("the sign-on could not be asked: %s", error)
            raise IssuerAwayError(AWAY) from None
        if status != 200:
            log.warning("the sign-on took no code: %s, %s", status, _shown(found.get("error")))
            if found.get("error") == "invalid_grant":
                raise SignOnError("That sign-in took too long, or was used already: sign in once more.")
            raise SignOnError("The sign-on does not take this hub's word. Who runs the hub finds why in its log.")
        return found

    async def _person(
        self, tokens: Mapping[str, Any], nonce: str, document: Mapping[str, Any], *, now: datetime
    ) -> Person:
        id_token, access = tokens.get("id_token"), tokens.get("access_token")
        read = await self._oidc.read(id_token, now=now) if isinstance(id_token, str) else None
        if read is None:
            raise SignOnError(
                "What the sign-on sent is not good for this hub. Its clock, or the settings, may be wrong."
            )
        claims = read.claims
        several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
        if claims.get("azp", None if several else self._rules.client_id) != self._rules.client_id:
            raise SignOnError("What the sign-on sent was made for another application.")
        if not hmac.compare_digest(str(claims.get("nonce", "")).encode(), nonce.encode()):
            raise SignOnError("This answer of the sign-on is not to what this browser asked: sign in once more.")
        if "at_hash" in claims and not (
            isinstance(access, str) and hash_fits(claims["at_hash"], access, read.algorithm)
        ):
            raise SignOnError("What the sign-on sent does not belong together.")
        if isinstance(access, str) and not self._oidc.names_roles(claims):
            claims = {**await self._told(access, claims["sub"], document), **claims}
        viewer = self._oidc.viewer_of(claims, until=read.until)
        if viewer is None:
            raise SignOnError(
                "The sign-on knows you, but nothing it says of you gives you a role in this hub, or your address is not "
                "confirmed there. Ask who runs the hub."
            )
        return Person(issuer=self._rules.issuer, subject=str(claims["sub"]), viewer=viewer)

    async def _told(self, access: str, subject: str, document: Mapping[str, Any]) -> Mapping[str, Any]:
        """What the issuer tells of a person beside the id_token; nothing where it does not, or tells of another."""
        address = document.get("userinfo_endpoint")
        if not isinstance(address, str) or not is_safe(address):
            return {}
        try:
            found = await self._fetching.get(address, bearer=access)
        except FetchError as error:
            log.warning("the sign-on's userinfo could not be read: %s", error)
            return {}
        return found if found.get("sub") == subject else {}

    async def _discovered(self) -> Mapping[str, Any]:
        """The issuer's discovery document, kept for a while; used on where it cannot be fetched anew."""
        now = self._monotonic()
        if now - self._fetched_at > FRESH_FOR and now - self._tried_at >= PAUSE:
            self._tried_at = now
            try:
                found = await self._fetching.get(self._rules.issuer.rstrip("/") + "/.well-known/openid-configuration")
                if found.get("issuer") != self._rules.issuer:
                    raise FetchError("its discovery document is of another issuer")
                self._document, self._fetched_at = found, now
            except FetchError as error:
                log.warning("the discovery document of %s could not be fetched: %s", self._rules.issuer, error)
        if self._document is None:
            raise IssuerAwayError(AWAY)
        return self._document

    def _endpoint(self, document: Mapping[str, Any], name: str) -> str:
        address = document.get(name)
        if not isinstance(address, str) or not is_safe(address):
            log.warning("the %s of %s must begin with https://", name, self._rules.issuer)
            raise IssuerAwayError("The sign-on does not say where to sign in. Who runs the hub finds why in its log.")
        return address


def _encoded(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def _shown(error: object) -> str:
    """A code such as temporarily_unavailable, from outside."""
    return "".join(each for each in str(error) if each.isalnum() or each in "_-. ")[:60]

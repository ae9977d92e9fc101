"""Forged tokens of an issuer, sent over HTTP to a served application: every one is nobody's, in the same words.

The issuer is a real one on loopback; beside it a second one publishes other keys under the same id.
"""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from starlette.applications import Starlette
from starlette.routing import Route

from hub.access.admission import Admission
from hub.access.issuer import PAUSE, IssuerKeys
from hub.access.oidc import Oidc, OidcRules
from hub.model.actions import Role
from hub.store import Store
from tests.access.test_admission import Seconds
from tests.access.test_oidc import NOW, RSA_KEYS, Issuer, public
from tests.fakes.serving import serving
from tests.web.conftest import FakeHub
from tests.web.conftest import serving as web

GOOD, EVIL = RSA_KEYS
DEEP = b'{"a":' + b"[" * 5_000
SECRETS = ("kid", "signature", "expired", "audience", "issuer", "algorithm", "jwks", "127.0.0.1", "Traceback", "jwt")


def encoded(value: Any) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


class World:
    """The issuer `real`, the issuer `evil` with the key id that is real's, and the hub that trusts the first."""

    def __init__(self, real: Issuer, evil: Issuer, client: httpx.AsyncClient, seconds: Seconds) -> None:
        self.real, self.evil, self.client, self.seconds = real, evil, client, seconds

    async def ask(self, token: str, accept: str = "application/graphql-response+json") -> httpx.Response:
        headers = {"authorization": f"Bearer {token}", "accept": accept}
        return await self.client.post("/graphql", json={"query": "{ viewer { role } }"}, headers=headers)

    def claims(self, **said: Any) -> dict[str, Any]:
        told = {"iss": self.real.url, "aud": "cshub", "sub": "u-1", "azp": "portal", "realm": {"roles": ["cs-heads"]}}
        told |= {"exp": int((NOW + timedelta(minutes=5)).timestamp()), **said}
        return {name: value for name, value in told.items() if value is not None}

    def signed(self, *, key: Any = GOOD, header: Mapping[str, Any] | None = None, **said: Any) -> str:
        told = {"kid": "one", **(header or {})}
        return jwt.encode(self.claims(**said), key, "RS256", {name: value for name, value in told.items() if value})

    def unsigned(self, header: Mapping[str, Any], signature: bytes = b"", **said: Any) -> str:
        return f"{encoded(header)}.{encoded(self.claims(**said))}.{encoded(signature)}"

    def forged(self) -> dict[str, str]:
        good, minute = self.signed(), int(timedelta(minutes=1).total_seconds())
        now = int(NOW.timestamp())
        pem = GOOD.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        der = GOOD.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        head, body, signature = good.split(".")
        other = self.signed(sub="the head of all").split(".")[1]
        mine = {"jwk": public("one", EVIL), "jku": f"{self.evil.url}/keys", "x5u": f"{self.evil.url}/keys"}
        made = {
            "alg none": self.unsigned({"alg": "none", "kid": "one"}),
            "alg NONE": self.unsigned({"alg": "nOnE"}, b"x"),
            "no alg": self.unsigned({"kid": "one"}),
            "alg a list": self.unsigned({"alg": ["RS256", "none"], "kid": "one"}),
            "no signature": f"{head}.{body}.",
            "another's body": f"{head}.{other}.{signature}",
            "another's key": self.signed(key=EVIL),
            "another issuer's, same kid": self.signed(key=EVIL, iss=self.evil.url),
            "iss another, our key": self.signed(iss=self.evil.url),
            "iss with a slash": self.signed(iss=self.real.url + "/"),
            "iss a list": f"{head}.{encoded(self.claims(iss=[self.real.url]))}.{signature}",
            "aud another": self.signed(aud="shop"),
            "aud a list without us": self.signed(aud=["shop", "cshub2"]),
            "aud a part of ours": self.signed(aud="cshu"),
            "no aud": self.signed(aud=None),
            "azp another": self.signed(azp="a game"),
            "azp and client_id differ": self.signed(client_id="a game"),
            "no azp": self.signed(azp=None),
            "azp a list": self.signed(azp=["portal"]),
            "expired": self.signed(exp=now - minute),
            "not yet": self.signed(nbf=now + minute),
            "made tomorrow": self.signed(iat=now + minute),
            "for ever": self.signed(exp=1e300),
            "no end": self.signed(exp=None),
            "unknown kid": self.signed(header={"kid": "two"}),
            "kid a path": self.signed(header={"kid": "../../../dev/null"}),
            "kid SQL": self.signed(header={"kid": "' UNION SELECT 'x"}, key=EVIL),
            "crit": self.signed(header={"crit": ["exp"]}),
            "not a role of ours": self.signed(realm={"roles": ["admin"]}),
            "no role": self.signed(realm=None),
            "huge": self.signed(note="x" * 20_000),
            "deep header": f"{encoded(DEEP)}.{body}.{signature}",
            "deep body": f"{head}.{encoded(DEEP)}.{signature}",
            "more parts": f"{good}.x",
            "whole JSON": json.dumps({"protected": head, "payload": body, "signature": signature}),
        }
        for name, value in mine.items():
            made[f"{name} in the header"] = self.signed(key=EVIL, header={name: value})
            made[f"{name} without kid"] = self.signed(key=EVIL, header={name: value, "kid": None})
        for name, secret in (("pem", pem), ("der", der), ("n", encoded(public("one", GOOD)).encode())):
            unsigned = f"{encoded({'alg': 'HS256', 'kid': 'one'})}.{body}"
            mac = jwt.get_algorithm_by_name("HS256").sign(unsigned.encode(), secret)
            made[f"HS256 with the public key as {name}"] = f"{unsigned}.{encoded(mac)}"
        return made


@pytest.fixture
async def world(sqlite_store: Store) -> AsyncIterator[World]:
    real, evil, seconds = Issuer(), Issuer(), Seconds()
    evil.keys = [public("one", EVIL)]
    async with AsyncExitStack() as stack:
        for issuer in (real, evil):
            routes = [Route("/.well-known/openid-configuration", issuer.discovery), Route("/keys", issuer.jwks)]
            issuer.url = await stack.enter_async_context(serving(Starlette(routes=routes)))
        rules = OidcRules(
            issuer=real.url,
            audience=("cshub",),
            clients=("portal",),
            roles={"cs-heads": Role.MANAGER},
            roles_claim="realm.roles",
        )
        keys = IssuerKeys(real.url, algorithms=rules.algorithms, monotonic=seconds)
        admission = Admission(sqlite_store, sign_on=Oidc(rules, keys=keys))
        url = await stack.enter_async_context(web(FakeHub(sqlite_store, clock=lambda: NOW), admission=admission))
        client = await stack.enter_async_context(httpx.AsyncClient(base_url=url))
        yield World(real, evil, client, seconds)


async def test_forgeries_are_nobodys_and_told_alike(world: World) -> None:
    said = set[tuple[int, str]]()
    for name, token in world.forged().items():
        for accept in ("application/graphql-response+json", "text/event-stream"):
            answer = await world.ask(token, accept)
            assert answer.status_code == 401, name
            assert answer.json()["errors"][0]["extensions"] == {"code": "UNAUTHENTICATED"}, name
            assert not [word for word in SECRETS if word in answer.text], name
            assert answer.headers["cache-control"] == "no-store"
            said.add((answer.status_code, answer.text))
    nothing = await world.client.post("/graphql", json={"query": "{ viewer { role } }"})
    assert nothing.status_code == 401
    assert len(said) <= 2, "of each transport one answer"
    assert world.evil.asked == {"discovery": 0, "keys": 0}, "an address in a header is called by nobody"
    assert world.real.asked == {"discovery": 1, "keys": 1}, "ids that are made up ask the issuer no more than once"
    assert (await world.ask(world.signed())).json()["data"] == {"viewer": {"role": "MANAGER"}}, "and the real one opens"


async def test_while_the_keys_are_away_nobody_comes_in_and_a_storm_asks_once(world: World) -> None:
    world.real.status = 503
    storm = [world.signed(key=EVIL, header={"kid": f"made-up-{number}"}) for number in range(20)]
    deep = f"{world.signed().partition('.')[0]}.{encoded(DEEP)}.AA"
    for turn in (1, 2):
        answers = await asyncio.gather(*(world.ask(token) for token in (world.signed(), *storm)))
        assert {each.status_code for each in answers} == {503}, "whether they are good can't be told"
        assert len({each.text for each in answers}) == 1
        assert not [word for word in SECRETS[-4:] if word in answers[0].text]
        assert world.real.asked["keys"] == turn
        for refused in (world.signed(iss=world.evil.url), world.unsigned({"alg": "none"}), deep):
            assert (await world.ask(refused)).status_code == 401
        world.seconds.now += PAUSE
    world.real.status = 200
    answers = await asyncio.gather(*(world.ask(token) for token in (world.signed(), *storm)))
    assert [each.status_code for each in answers] == [200] + [401] * len(storm)

"""JWTs of a real issuer on loopback, with real keys: what is taken, what is refused, and what it asks the issuer."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm, RSAAlgorithm
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from hub.access.admission import Admission
from hub.access.issuer import FRESH_FOR, PAUSE, STALE_AFTER, IssuerAwayError, IssuerKeys
from hub.access.oidc import LEEWAY, Oidc, OidcRules
from hub.model.actions import Role
from hub.store import Store
from tests.access.test_admission import Seconds
from tests.fakes.serving import serving
from tests.web.conftest import FakeHub
from tests.web.conftest import serving as web

NOW = datetime(2026, 11, 1, tzinfo=UTC)
RSA_KEYS = [rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(2)]
EC_KEY = ec.generate_private_key(ec.SECP256R1())
WEAK = rsa.generate_private_key(public_exponent=65537, key_size=1024)


class Issuer:
    """Publishes keys, and counts how often it is asked for them."""

    def __init__(self) -> None:
        self.url = ""
        self.keys: list[dict[str, Any]] = [public("one", RSA_KEYS[0])]
        self.asked = {"discovery": 0, "keys": 0}
        self.status = 200
        self.calls_itself: str | None = None

    async def discovery(self, _: Request) -> Response:
        self.asked["discovery"] += 1
        return JSONResponse({"issuer": self.calls_itself or self.url, "jwks_uri": f"{self.url}/keys"})

    async def jwks(self, _: Request) -> Response:
        self.asked["keys"] += 1
        return JSONResponse({"keys": self.keys}, status_code=self.status)

    def token(self, *, key: Any = RSA_KEYS[0], alg: str = "RS256", kid: str | None = "one", **claims: Any) -> str:
        told = {
            "iss": self.url,
            "aud": "cshub",
            "sub": "u-1",
            "exp": int((NOW + timedelta(minutes=5)).timestamp()),
            "email": "Ann@CS.example",
            "realm": {"roles": ["staff", "cs-team"]},
            **claims,
        }
        told = {name: value for name, value in told.items() if value is not None}
        return jwt.encode(told, key, algorithm=alg, headers={} if kid is None else {"kid": kid})


def public(kid: str, key: Any, **more: Any) -> dict[str, Any]:
    made = ECAlgorithm if isinstance(key, ec.EllipticCurvePrivateKey) else RSAAlgorithm
    return {**made.to_jwk(key.public_key(), as_dict=True), "kid": kid, **more}


@pytest.fixture
async def issuer() -> AsyncIterator[Issuer]:
    issuer = Issuer()
    routes = [Route("/.well-known/openid-configuration", issuer.discovery), Route("/keys", issuer.jwks)]
    async with serving(Starlette(routes=routes)) as issuer.url:
        yield issuer


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
async def oidc(issuer: Issuer, seconds: Seconds) -> AsyncIterator[Oidc]:
    algorithms = ("RS256", "ES256")
    rules = OidcRules(
        issuer=issuer.url,
        audience=("cshub", "other"),
        roles={"cs-team": Role.CSM, "cs-heads": Role.MANAGER, "guests": Role.VIEWER},
        algorithms=algorithms,
        roles_claim="realm.roles",
    )
    made = Oidc(rules, keys=IssuerKeys(issuer.url, algorithms=algorithms, monotonic=seconds))
    yield made
    await made.close()


async def opens(oidc: Oidc, token: str, *, now: datetime = NOW) -> bool:
    return await oidc.find_viewer(token, now=now) is not None


async def test_claims_become_a_viewer(issuer: Issuer, oidc: Oidc) -> None:
    found = await oidc.find_viewer(issuer.token(), now=NOW)
    assert found is not None
    assert (found.role, found.csm_email, found.name) == (Role.CSM, "ann@cs.example", "Ann@CS.example")
    assert found.expires_at == NOW + timedelta(minutes=5)
    assert found.token_id.startswith("oidc_")
    again = await oidc.find_viewer(issuer.token(email=None, jti="another"), now=NOW)
    other = await oidc.find_viewer(issuer.token(sub="u-2"), now=NOW)
    assert again is not None
    assert other is not None
    assert again.token_id == found.token_id != other.token_id
    assert issuer.asked == {"discovery": 1, "keys": 1}


async def test_the_highest_role_counts_and_none_opens_nothing(issuer: Issuer, oidc: Oidc) -> None:
    for roles, role in (
        (["guests", "cs-heads", "cs-team"], Role.MANAGER),
        ("guests staff", Role.VIEWER),
        (["staff"], None),
        ([], None),
        ([{"cs-team": True}], None),
        (None, None),
        ({"cs-team": 1}, None),
    ):
        found = await oidc.find_viewer(issuer.token(realm={"roles": roles}), now=NOW)
        assert (found and found.role) == role, roles


async def test_a_token_of_somebody_else_or_for_something_else_opens_nothing(issuer: Issuer, oidc: Oidc) -> None:
    for wrong in (
        {"iss": "https://evil.example"},
        {"iss": None},
        {"iss": issuer.url + "/"},
        {"aud": "shop"},
        {"aud": None},
        {"aud": ["shop"]},
        {"exp": None},
        {"exp": "soon"},
        {"exp": True},
        {"exp": 1e30},
        {"sub": None},
        {"sub": ""},
        {"email": ["ann@cs.example"]},
        {"email_verified": False},
    ):
        assert not await opens(oidc, issuer.token(**wrong)), wrong
    assert await opens(oidc, issuer.token(aud=["shop", "other"]))


async def test_its_time_is_kept_with_a_leeway(issuer: Issuer, oidc: Oidc) -> None:
    token = issuer.token(nbf=int(NOW.timestamp()), iat=int(NOW.timestamp()))
    end = NOW + timedelta(minutes=5)
    second = timedelta(seconds=1)
    for at, expected in (
        (NOW - LEEWAY - second, False),
        (NOW - LEEWAY, True),
        (end + LEEWAY - second, True),
        (end + LEEWAY, False),
    ):
        assert await opens(oidc, token, now=at) is expected


def unsigned(token: str, header: dict[str, Any]) -> str:
    body = base64.urlsafe_b64encode(json.dumps(header).encode()).rstrip(b"=").decode()
    return f"{body}.{token.split('.')[1]}."


async def test_no_algorithm_and_shared_secrets_are_refused(issuer: Issuer, oidc: Oidc) -> None:
    good = issuer.token()
    pem = RSA_KEYS[0].public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    issuer.keys.append({"kty": "oct", "kid": "shared", "k": base64.urlsafe_b64encode(b"s" * 32).decode()})
    for header in ({"alg": "none"}, {"alg": "None", "kid": "one"}, {"alg": ""}, {"kid": "one"}, {"alg": ["RS256"]}):
        assert not await opens(oidc, unsigned(good, header))
    assert not await opens(oidc, unsigned(good, {"alg": "RS256", "kid": "one"}))
    # the issuer's public key as the secret of an HMAC
    head, body, _ = issuer.token(alg="HS256", key="x" * 32).split(".")
    mac = jwt.get_algorithm_by_name("HS256").sign(f"{head}.{body}".encode(), pem)
    assert not await opens(oidc, f"{head}.{body}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}")
    assert not await opens(oidc, issuer.token(alg="HS256", key="s" * 32, kid="shared"))
    head, body, signature = good.split(".")
    assert not await opens(oidc, ".".join((head, issuer.token(sub="admin").split(".")[1], signature)))
    assert not await opens(oidc, issuer.token(key=RSA_KEYS[1]))  # another key under a known id
    assert not await opens(oidc, issuer.token(alg="RS512"))  # an algorithm that is not listed
    assert not await opens(oidc, jwt.encode({"sub": "x"}, RSA_KEYS[0], "RS256", {"kid": "one", "crit": ["x"], "x": 1}))
    for text in ("a.b.c", "..", "é.é.é", good + "x", good[:-2]):
        assert not await opens(oidc, text)
    assert await opens(oidc, good)


async def test_curves_and_keys_that_are_too_short(issuer: Issuer, oidc: Oidc) -> None:
    issuer.keys = [
        public("curve", EC_KEY),
        public("weak", WEAK),
        public("sealing", RSA_KEYS[0], use="enc"),
        public("pss", RSA_KEYS[1], alg="PS256"),
        {"kid": "broken", "kty": "RSA", "n": "!", "e": 3},
    ]
    assert await opens(oidc, issuer.token(key=EC_KEY, alg="ES256", kid="curve"))
    assert await opens(oidc, issuer.token(key=EC_KEY, alg="ES256", kid=None))  # the only one of its algorithm
    head, body, _ = issuer.token(kid="weak").split(".")
    mac = jwt.get_algorithm_by_name("RS256").sign(f"{head}.{body}".encode(), WEAK)
    assert not await opens(oidc, f"{head}.{body}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}")
    for kid, key in (("sealing", RSA_KEYS[0]), ("pss", RSA_KEYS[1]), ("curve", RSA_KEYS[0])):
        assert not await opens(oidc, issuer.token(key=key, kid=kid))


async def test_a_rotated_key_is_fetched_once_and_made_up_ids_fetch_nothing(
    issuer: Issuer, oidc: Oidc, seconds: Seconds
) -> None:
    assert await opens(oidc, issuer.token())
    issuer.keys = [public("two", RSA_KEYS[1]), *issuer.keys]
    new = issuer.token(key=RSA_KEYS[1], kid="two")
    assert not await opens(oidc, new)  # it was asked a moment ago
    seconds.now += PAUSE
    assert all(await asyncio.gather(*(opens(oidc, new) for _ in range(20))))
    assert issuer.asked["keys"] == 2
    seconds.now += PAUSE
    await asyncio.gather(*(opens(oidc, issuer.token(kid=f"made-up-{number}")) for number in range(50)))
    assert issuer.asked["keys"] == 3
    issuer.keys = issuer.keys[:1]
    seconds.now += FRESH_FOR + 1
    assert not await opens(oidc, issuer.token())  # withdrawn
    assert await opens(oidc, new)
    assert issuer.asked["keys"] == 4


async def test_while_the_issuer_is_away_known_keys_serve_for_a_day(
    issuer: Issuer, oidc: Oidc, seconds: Seconds, caplog: pytest.LogCaptureFixture
) -> None:
    assert await opens(oidc, issuer.token())
    issuer.status = 503
    seconds.now += FRESH_FOR + 1
    assert await opens(oidc, issuer.token())
    assert "could not be fetched" in caplog.text
    seconds.now += STALE_AFTER
    with pytest.raises(IssuerAwayError):
        await opens(oidc, issuer.token())
    issuer.status = 200
    seconds.now += PAUSE
    assert await opens(oidc, issuer.token())


async def test_a_discovery_document_of_another_issuer_is_not_believed(issuer: Issuer, oidc: Oidc) -> None:
    issuer.calls_itself = "https://evil.example"
    with pytest.raises(IssuerAwayError):
        await opens(oidc, issuer.token())
    assert issuer.asked == {"discovery": 1, "keys": 0}


async def test_an_issuer_that_was_never_reached_refuses_nobody(
    issuer: Issuer, oidc: Oidc, sqlite_store: Store, seconds: Seconds
) -> None:
    issuer.status = 503
    headers = {"authorization": f"Bearer {issuer.token()}"}
    async with (
        web(FakeHub(sqlite_store, clock=lambda: NOW), admission=Admission(sqlite_store, sign_on=oidc)) as url,
        httpx.AsyncClient(base_url=url, headers=headers) as client,
    ):
        asking = {"query": "{ customers { totalCount } }"}
        for accept in ("application/json", "text/event-stream"):
            away = await client.post("/graphql", json=asking, headers={"accept": accept})
            assert (away.status_code, away.headers["retry-after"]) == (503, "10")
            assert away.json()["errors"][0]["extensions"]["code"] == "TRY_AGAIN"
        # a token that says it is somebody else's is nobody's all the same
        foreign = {"authorization": f"Bearer {issuer.token(iss='https://elsewhere.example')}"}
        assert (await client.post("/graphql", json=asking, headers=foreign)).status_code == 401
        issuer.status, seconds.now = 200, seconds.now + PAUSE + 1
        assert (await client.post("/graphql", json=asking)).status_code == 200


async def test_admission_gives_csms_of_the_issuer_their_book(issuer: Issuer, oidc: Oidc, sqlite_store: Store) -> None:
    admission = Admission(sqlite_store, books=True, sign_on=oidc)
    found = await admission.find_viewer(issuer.token(), now=NOW)
    head = await admission.find_viewer(issuer.token(realm={"roles": ["cs-heads"]}), now=NOW)
    assert found is not None
    assert head is not None
    assert (found.book, head.book) == ("ann@cs.example", None)
    assert await admission.find_viewer("x." + "y" * 20_000 + ".z", now=NOW) is None
    assert await Admission(sqlite_store).find_viewer(issuer.token(), now=NOW) is None
    await admission.close()

"""Signing in at an OpenID provider on loopback, which checks what it is asked as closely as the hub checks what it answers."""

import base64
import hashlib
from collections.abc import AsyncIterator
from datetime import timedelta
from html import unescape
from typing import Any
from urllib.parse import parse_qs, unquote_plus, urlsplit

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from hub.access.code_flow import CodeFlow, CodeRules
from hub.access.oidc import Oidc, OidcRules, hash_fits
from hub.access.sessions import SessionRules, Sessions
from hub.model.actions import Role
from hub.store import Store
from hub.web.entrance import entrance
from tests.access.test_oidc import RSA_KEYS, Issuer
from tests.fakes.serving import serving
from tests.web.dashboard.test_signin import CALL, START, URL, World, asked, sign_in

CLIENT, SECRET = "cshub dashboard", "s3cret:%"
BACK = f"{URL}/sign-in/oidc/callback"


class Provider(Issuer):
    """An issuer at which people sign in. claims: what it says of them, over what it would; `told`: of its userinfo."""

    def __init__(self) -> None:
        super().__init__()
        self.claims: dict[str, Any] = {}
        self.told: dict[str, Any] = {}
        self.document: dict[str, Any] = {}
        self.given: dict[str, dict[str, str]] = {}
        self.redeemed: list[str] = []
        self.public = False
        self.refuses: tuple[int, Any] | None = None

    async def discovery(self, request: Request) -> Response:
        await super().discovery(request)
        return JSONResponse(
            {
                "issuer": self.url,
                "jwks_uri": f"{self.url}/keys",
                "authorization_endpoint": f"{self.url}/authorize?tenant=1",
                "token_endpoint": f"{self.url}/token",
                "userinfo_endpoint": f"{self.url}/userinfo",
                **self.document,
            },
            status_code=self.status,
        )

    def consent(self, url: str) -> dict[str, str]:
        """What the browser brings back, once somebody has signed in there."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        assert url.startswith(f"{self.url}/authorize?tenant=1&")
        assert (asked["response_type"], asked["client_id"], asked["redirect_uri"]) == ("code", CLIENT, BACK)
        assert asked["code_challenge_method"] == "S256"
        assert "openid" in asked["scope"].split()
        code = f"code-{len(self.given)}"
        self.given[code] = asked
        return {"code": code, "state": asked["state"]}

    async def token_endpoint(self, request: Request) -> Response:
        if self.refuses is not None:
            status, body = self.refuses
            return Response(body, status) if isinstance(body, str) else JSONResponse(body, status)
        form = {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}
        assert (form["grant_type"], form["redirect_uri"], form["client_id"]) == ("authorization_code", BACK, CLIENT)
        if self.public:
            assert "authorization" not in request.headers
            assert "client_secret" not in form
        elif "token_endpoint_auth_methods_supported" in self.document:
            assert form["client_secret"] == SECRET
        else:
            scheme, _, sent = request.headers["authorization"].partition(" ")
            name, _, secret = base64.b64decode(sent).decode().partition(":")
            assert (scheme, unquote_plus(name), unquote_plus(secret)) == ("Basic", CLIENT, SECRET)
        asked = self.given.get(form["code"])
        challenge = (
            base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).rstrip(b"=").decode()
        )
        if asked is None or form["code"] in self.redeemed or asked["code_challenge"] != challenge:
            return JSONResponse({"error": "invalid_grant", "error_description": "no"}, 400)
        self.redeemed.append(form["code"])
        until = int((START + timedelta(minutes=5)).timestamp())
        at_hash = base64.urlsafe_b64encode(hashlib.sha256(b"access").digest()[:16]).rstrip(b"=").decode()
        claims = {
            "aud": CLIENT,
            "nonce": asked["nonce"],
            "exp": until,
            "at_hash": at_hash,
            "name": "Ann",
            **self.claims,
        }
        return JSONResponse({"token_type": "Bearer", "access_token": "access", "id_token": self.token(**claims)})

    async def userinfo(self, request: Request) -> Response:
        assert request.headers["authorization"] == "Bearer access"
        return JSONResponse(self.told)


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    provider = Provider()
    routes = [
        Route("/.well-known/openid-configuration", provider.discovery),
        Route("/keys", provider.jwks),
        Route("/token", provider.token_endpoint, methods=["POST"]),
        Route("/userinfo", provider.userinfo),
    ]
    async with serving(Starlette(routes=routes)) as provider.url:
        yield provider


def flow_of(provider: Provider, *, secret: str | None = SECRET) -> CodeFlow:
    roles = {"cs-team": Role.CSM, "cs-heads": Role.MANAGER}
    rules = OidcRules(issuer=provider.url, audience=(CLIENT,), roles=roles, roles_claim="realm.roles")
    code = CodeRules(issuer=provider.url, client_id=CLIENT, client_secret=secret, redirect_uri=BACK)
    return CodeFlow(code, Oidc(rules))


@pytest.fixture
async def world(provider: Provider, sqlite_store: Store) -> AsyncIterator[World]:
    flow = flow_of(provider)
    yield World(sqlite_store, flow=flow, issuer=provider.url)
    await flow.close()


@pytest.fixture
async def browser(world: World) -> AsyncIterator[httpx.AsyncClient]:
    async with world.browser() as opened:
        yield opened


async def come_back(browser: httpx.AsyncClient, provider: Provider, **answer: str) -> httpx.Response:
    """Begin, sign in there, and be sent back with `answer` over what the provider says."""
    begun = await browser.get("/sign-in/oidc?next=/sources")
    assert begun.status_code == 303
    given = {**provider.consent(begun.headers["location"]), **answer}
    return await browser.get(
        "/sign-in/oidc/callback",
        params={name: value for name, value in given.items() if value},
        headers={"sec-fetch-site": "cross-site"},
    )


async def test_who_signs_in_there_is_signed_in_here_with_the_role_the_claims_give(
    world: World, browser: httpx.AsyncClient, provider: Provider
) -> None:
    page = await browser.get("/sign-in?next=/sources")
    assert 'href="/sign-in/oidc?next=/sources">Sign in with Example login</a>' in page.text
    begun = await browser.get("/sign-in/oidc")
    [cookie] = begun.headers.get_list("set-cookie")
    assert cookie.startswith("__Host-cshub_oidc=")
    assert cookie.endswith("; Path=/; Max-Age=600; HttpOnly; SameSite=Lax; Secure")
    answer = await come_back(browser, provider)
    assert (answer.status_code, answer.headers["location"]) == (303, "/sources")
    assert "__Host-cshub_oidc" not in browser.cookies
    told = await asked(browser)
    assert told.json()["data"]["viewer"] == {"name": "Ann@CS.example", "role": "CSM"}
    [noted] = await world.entries()
    assert (noted.actor, noted.action) == ("ann@cs.example", "signIn")
    assert noted.token_id is not None
    assert noted.token_id.startswith("oidc_")
    assert noted.detail == {"request": {"by": "issuer", "address": "127.0.0.1"}, "outcome": "done"}
    find = entrance(world.admission, clock=lambda: world.now)
    cookies = {"cookie": f"__Host-cshub={browser.cookies['__Host-cshub']}"}
    viewer = await find(cookies)
    assert viewer is not None
    assert (viewer.book, viewer.expires_at) == ("ann@cs.example", START + timedelta(hours=12))
    # where another issuer, or none, is asked today, who the former vouched for is nobody
    world.admission.sessions = Sessions(world.store, world.links, SessionRules(url=URL))
    assert await find(cookies) is None


WRONG: list[tuple[dict[str, Any], dict[str, str], str]] = [
    ({"nonce": "another"}, {}, "not to what this browser asked"),
    ({"nonce": None}, {}, "not to what this browser asked"),
    ({"aud": "shop"}, {}, "not good for this hub"),
    ({"aud": [CLIENT, "shop"]}, {}, "made for another application"),
    ({"azp": "shop"}, {}, "made for another application"),
    ({"iss": "https://evil.example"}, {}, "not good for this hub"),
    ({"exp": int((START - timedelta(minutes=1)).timestamp())}, {}, "not good for this hub"),
    ({"alg": "HS256", "key": "x" * 32}, {}, "not good for this hub"),
    ({"key": RSA_KEYS[1]}, {}, "not good for this hub"),
    ({"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"}, {}, "does not belong together"),
    ({"realm": {"roles": ["staff"]}}, {}, "nothing it says of you gives you a role"),
    ({"email_verified": False}, {}, "not confirmed there"),
    ({}, {"state": "another"}, "not to what this browser asked"),
    ({}, {"state": ""}, "not to what this browser asked"),
    ({}, {"code": "made up"}, "took too long, or was used already"),
    ({}, {"code": ""}, "without a code"),
    ({}, {"error": "access_denied", "code": ""}, "was left, or let you not in"),
    ({}, {"error": "server_error<script>", "code": ""}, "The sign-on said: server_errorscript."),
    ({}, {"iss": "https://evil.example"}, "of another sign-on"),
]


async def test_whatever_is_wrong_nobody_is_signed_in_and_it_is_said_plainly(
    world: World, browser: httpx.AsyncClient, provider: Provider
) -> None:
    for claims, answer, words in WRONG:
        provider.claims = claims
        refused = await come_back(browser, provider, **answer)
        assert (refused.status_code, words in unescape(refused.text)) == (403, True), (claims, answer)
        assert {"__Host-cshub", "__Host-cshub_oidc"}.isdisjoint(browser.cookies)
        world.seconds.now += 60  # who fails often waits
    assert (await asked(browser)).status_code == 401
    noted = await world.noted()
    assert {(actor, action) for actor, action, _ in noted} == {("(nobody)", "signIn")}
    assert [words in outcome for (_, _, outcome), (_, _, words) in zip(noted, WRONG, strict=True)] == [True] * len(
        WRONG
    )


async def test_several_audiences_need_the_party_the_token_is_for(
    world: World, browser: httpx.AsyncClient, provider: Provider
) -> None:
    provider.claims = {"aud": [CLIENT, "shop"], "azp": CLIENT}
    assert (await come_back(browser, provider)).status_code == 303


async def test_roles_that_only_the_userinfo_names_count_for_the_same_person(
    world: World, browser: httpx.AsyncClient, provider: Provider
) -> None:
    provider.claims = {"realm": None}
    provider.told = {"sub": "somebody else", "realm": {"roles": ["cs-heads"]}}
    assert (await come_back(browser, provider)).status_code == 403
    provider.told = {"sub": "u-1", "realm": {"roles": ["cs-heads"]}}
    assert (await come_back(browser, provider)).status_code == 303
    assert (await asked(browser)).json()["data"]["viewer"]["role"] == "MANAGER"


async def test_an_answer_of_another_browser_signs_nobody_in_and_a_code_counts_once(
    world: World, browser: httpx.AsyncClient, provider: Provider
) -> None:
    mine = provider.consent((await browser.get("/sign-in/oidc")).headers["location"])
    async with world.browser() as other:
        stranger = await other.get("/sign-in/oidc/callback", params=mine)
        assert (stranger.status_code, "another browser" in stranger.text) == (400, True)
        theirs = provider.consent((await other.get("/sign-in/oidc")).headers["location"])
        stolen = await other.get("/sign-in/oidc/callback", params={**theirs, "code": mine["code"]})
        assert (stolen.status_code, "used already" in stolen.text) == (403, True)
    assert provider.redeemed == []
    world.now += timedelta(minutes=10)
    late = await browser.get("/sign-in/oidc/callback", params=mine)
    assert (late.status_code, "took too long" in late.text) == (400, True)
    assert (await sign_in(browser, (await world.token()).secret)).status_code == 303, "a token does as before"


async def test_while_the_sign_on_is_away_it_is_said_and_tokens_go_on(
    world: World, browser: httpx.AsyncClient, provider: Provider
) -> None:
    provider.status = 503
    for _ in range(3):
        away = await browser.get("/sign-in/oidc?next=/sources")
        assert (away.status_code, "does not answer now" in away.text) == (503, True)
        assert 'name="next" value="/sources"' in away.text
    assert provider.asked["discovery"] == 1, "not again at once"
    assert await world.noted() == []
    made = await world.token()
    assert (await sign_in(browser, made.secret)).status_code == 303


async def test_the_provider_may_refuse_the_hub_or_answer_nonsense(
    world: World, browser: httpx.AsyncClient, provider: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    for refuses, status, words in (
        ((401, {"error": "invalid_client"}), 403, "does not take this hub's word"),
        ((200, "<html>"), 503, "does not answer now"),
        ((200, {"access_token": "access"}), 403, "not good for this hub"),
        ((200, {"id_token": 7}), 403, "not good for this hub"),
    ):
        provider.refuses = refuses
        answer = await come_back(browser, provider)
        assert (answer.status_code, words in unescape(answer.text)) == (status, True), refuses
    assert SECRET not in caplog.text
    assert "code-0" not in caplog.text
    assert "invalid_client" in caplog.text


async def test_a_secret_goes_as_the_provider_wants_it_and_a_public_client_has_none(
    provider: Provider, sqlite_store: Store
) -> None:
    provider.document = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
    for secret, public in ((SECRET, False), (None, True)):
        provider.public = public
        flow = flow_of(provider, secret=secret)
        async with World(sqlite_store, flow=flow, issuer=provider.url).browser() as browser:
            assert (await come_back(browser, provider)).status_code == 303
            assert (await asked(browser, CALL)).status_code == 200
        await flow.close()


async def test_a_discovery_document_that_leads_astray_is_not_followed(provider: Provider, sqlite_store: Store) -> None:
    for wrong in ({"issuer": "https://evil.example"}, {"authorization_endpoint": "http://evil.example/authorize"}):
        provider.document = wrong
        flow = flow_of(provider)
        async with World(sqlite_store, flow=flow, issuer=provider.url).browser() as browser:
            assert (await browser.get("/sign-in/oidc")).status_code == 503
        await flow.close()


def test_at_hash_is_the_left_half_in_the_hash_of_the_signature() -> None:
    for algorithm, hashed in (("RS256", "sha256"), ("ES384", "sha384"), ("PS512", "sha512"), ("EdDSA", "sha512")):
        made = hashlib.new(hashed, b"token").digest()
        half = base64.urlsafe_b64encode(made[: len(made) // 2]).rstrip(b"=").decode()
        assert hash_fits(half, "token", algorithm)
        assert not hash_fits(half, "other", algorithm)
        assert not hash_fits(None, "token", algorithm)

"""Signing in with a token: the page, the cookie it gives, what that opens and what it does not, and the way out."""

import re
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import httpx
import pytest
from starlette.routing import BaseRoute

from hub.access import tokens
from hub.access.admission import Admission
from hub.access.code_flow import CodeFlow
from hub.access.links import Links
from hub.access.sessions import SessionRules, Sessions
from hub.asgi import app
from hub.model.actions import Role, Scope
from hub.store import Store
from hub.store.audit import Entry as Noted
from hub.store.audit import find_latest
from hub.web import export
from hub.web.browsers import local_path
from hub.web.dashboard import signin, signin_oidc
from hub.web.dashboard.signin import OPENS_NOTHING, DemoToken, Entry
from hub.web.entrance import browsers_of, entrance
from hub.web.throttle import REMEMBERED, Throttle
from tests.access.test_admission import Seconds
from tests.web.conftest import FakeHub

START = datetime(2026, 11, 1, 8, tzinfo=UTC)
URL = "https://hub.example"
PAGE = {"sec-fetch-site": "same-origin", "origin": URL}
CALL = {**PAGE, "graphql-require-preflight": "1"}
QUERY = {"query": "{ viewer { name role } }"}


class World:
    """A hub with people who sign in; `now` goes on when it is told to. One second of the cache passes with every step."""

    def __init__(
        self,
        store: Store,
        *,
        url: str = URL,
        demo: tuple[DemoToken, ...] = (),
        flow: CodeFlow | None = None,
        issuer: str = "",
    ) -> None:
        self.store, self.url = store, url
        self.now = START
        self.seconds = Seconds()
        self.links = Links("s" * 32)
        rules = SessionRules(url=url, hours=12, idle_minutes=240, issuer=issuer or None)
        self.sessions = Sessions(store, self.links, rules, monotonic=self.seconds)
        self.admission = Admission(store, books=True, sessions=self.sessions, monotonic=self.seconds)
        browsers = browsers_of(self.admission)
        assert browsers is not None
        self.entry = Entry(
            store=store,
            admission=self.admission,
            sessions=self.sessions,
            links=self.links,
            browsers=browsers,
            clock=lambda: self.now,
            throttle=Throttle(monotonic=self.seconds),
            company="Acme",
            demo=demo,
            button="Example login" if flow else None,
        )
        find = entrance(self.admission, clock=lambda: self.now)
        exports = export.routes(store, find_viewer=find, clock=lambda: self.now, browsers=browsers)
        routes: list[BaseRoute] = [*exports, *signin.routes(self.entry)]
        routes += [] if flow is None else signin_oidc.routes(self.entry, flow)
        hub = FakeHub(store, clock=lambda: self.now)
        self.app = app(hub, routes=routes, admission=self.admission)

    def browser(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url=self.url)

    async def token(self, role: Role = Role.CSM, **given: Any) -> tokens.NewToken:
        given = {"name": "Ann", "csm_email": "ann@cs.example", **given}
        return await tokens.create(self.store, role=role, now=START, **given)

    def step(self, **how: float) -> None:
        self.now += timedelta(**how)
        self.seconds.now += 1.01

    async def noted(self) -> list[tuple[str, str, str]]:
        """(actor, action, outcome), the oldest first."""
        async with self.store.reading() as connection:
            found = await find_latest(connection, limit=50)
        return [(each.actor, each.action, each.detail["outcome"]) for each in reversed(found)]

    async def entries(self) -> list[Noted]:
        async with self.store.reading() as connection:
            return list(await find_latest(connection, limit=50))


@pytest.fixture
def world(sqlite_store: Store) -> World:
    return World(sqlite_store)


@pytest.fixture
async def browser(world: World) -> AsyncIterator[httpx.AsyncClient]:
    async with world.browser() as opened:
        yield opened


async def form_of(browser: httpx.AsyncClient, path: str = "/sign-in") -> dict[str, str]:
    """The fields of the page's first form."""
    page = await browser.get(path)
    assert page.status_code == 200
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page.text)[:2])
    return {name: unescape(value) for name, value in fields.items()}


async def sign_in(
    browser: httpx.AsyncClient, secret: str, path: str = "/sign-in", headers: Mapping[str, str] = PAGE
) -> httpx.Response:
    return await browser.post("/sign-in", data={**await form_of(browser, path), "token": secret}, headers=headers)


async def asked(browser: httpx.AsyncClient, headers: Mapping[str, str] = CALL) -> httpx.Response:
    return await browser.post("/graphql", json=QUERY, headers=headers)


async def test_a_token_signs_in_and_the_cookie_opens_the_api_as_its_holder(
    world: World, browser: httpx.AsyncClient
) -> None:
    made = await world.token()
    answer = await sign_in(browser, f"  {made.secret}\n", "/sign-in?next=/customers%3Fsearch%3Dx")
    assert (answer.status_code, answer.headers["location"]) == (303, "/customers?search=x")
    [cookie] = [each for each in answer.headers.get_list("set-cookie") if each.startswith("__Host-cshub=")]
    assert cookie.partition("; ")[2] == "Path=/; Max-Age=43200; HttpOnly; SameSite=Lax; Secure"
    assert made.secret not in cookie
    told = await asked(browser)
    assert (told.status_code, told.json()["data"]) == (200, {"viewer": {"name": "Ann", "role": "CSM"}})
    again = await browser.get("/sign-in?next=/sources")
    assert (again.status_code, again.headers["location"]) == (303, "/sources")
    [noted] = await world.entries()
    assert (noted.actor, noted.token_id, noted.action, noted.subject) == (
        "ann@cs.example",
        made.token.id,
        "signIn",
        "dashboard",
    )
    assert noted.detail == {"request": {"by": "token", "address": "127.0.0.1"}, "outcome": "done"}
    find = entrance(world.admission, clock=lambda: world.now)
    viewer = await find({"cookie": f"a=b; __Host-cshub={browser.cookies['__Host-cshub']}"})
    assert viewer is not None
    assert (viewer.book, viewer.expires_at) == ("ann@cs.example", START + timedelta(hours=12))


async def test_on_a_loopback_without_encryption_the_cookie_has_the_other_name(sqlite_store: Store) -> None:
    world = World(sqlite_store, url="http://127.0.0.1:8000")
    made = await world.token()
    async with world.browser() as browser:
        answer = await sign_in(browser, made.secret, headers={"origin": world.url})
        assert "Secure" not in str(answer.headers.get_list("set-cookie"))
        assert "cshub_session" in browser.cookies
        headers = {"graphql-require-preflight": "1", "origin": world.url}
        assert (await asked(browser, headers)).status_code == 200
        other_port = {**headers, "origin": "http://127.0.0.1:9000"}
        assert (await asked(browser, other_port)).status_code == 403


async def test_with_the_cookie_only_a_page_of_ours_calls_the_api(world: World, browser: httpx.AsyncClient) -> None:
    await sign_in(browser, (await world.token()).secret)
    for headers, words in (
        ({**PAGE}, "graphql-require-preflight"),
        ({**CALL, "sec-fetch-site": "cross-site"}, "another origin"),
        ({**CALL, "sec-fetch-site": "same-site"}, "another origin"),
        ({**CALL, "origin": "https://evil.example"}, "another origin"),
        ({"graphql-require-preflight": "1", "origin": "https://evil.example"}, "another origin"),
        ({"graphql-require-preflight": "1", "origin": "http://hub.example"}, "another origin"),
        ({"graphql-require-preflight": "1", "origin": "null"}, "another origin"),
    ):
        for accept in ("application/json", "text/event-stream"):
            refused = await asked(browser, {**headers, "accept": accept})
            assert refused.status_code == 403, headers
            [error] = refused.json()["errors"]
            assert words in error["message"]
            assert error["extensions"]["code"] == "FORBIDDEN"
            assert "access-control-allow-credentials" not in refused.headers
    for accept in ("application/json", "text/event-stream"):
        got = await browser.get("/graphql", params=QUERY, headers={**CALL, "accept": accept})
        assert (got.status_code, "POST alone" in got.text) == (403, True)
    for headers in (CALL, {**CALL, "origin": "null"}, {"graphql-require-preflight": "1"}):
        assert (await asked(browser, headers)).status_code == 200
    # who has a token needs none of it, whatever cookie comes along
    secret = (await world.token(Role.VIEWER, name="a script")).secret
    bearer = {"authorization": f"Bearer {secret}", "origin": "https://evil.example", "sec-fetch-site": "cross-site"}
    assert (await asked(browser, bearer)).json()["data"]["viewer"]["name"] == "a script"
    # and a token that opens nothing is not made up for by the cookie
    assert (await asked(browser, {**CALL, "authorization": "Bearer cshub_none"})).status_code == 401


async def test_downloads_by_cookie_are_followed_from_our_pages(world: World, browser: httpx.AsyncClient) -> None:
    made = await world.token(Role.ADMIN)
    assert (await browser.get("/export/customers.csv")).status_code == 401
    await sign_in(browser, made.secret)
    for site, status in (("same-origin", 200), ("none", 200), ("cross-site", 403), ("same-site", 403)):
        answer = await browser.get("/export/customers.csv", headers={"sec-fetch-site": site})
        assert (site, answer.status_code) == (site, status)
    foreign = await browser.get("/export/customers.csv", headers={"origin": "https://evil.example"})
    assert foreign.status_code == 403
    assert [action for _, action, _ in await world.noted()].count("export") == 2


async def test_a_session_ends_with_its_token_within_a_second(store: Store) -> None:
    async def ended(world: World, how: str) -> bool:
        made = await world.token(expires_at=START + timedelta(hours=1))
        token = await tokens.find_token(store, made.secret, now=START)
        assert token is not None
        opened = await world.sessions.open_by_token(token, made.secret, now=START)
        find = entrance(world.admission, clock=lambda: world.now)
        cookie = {"cookie": f"__Host-cshub={opened.cookie}"}
        viewer = await find(cookie)
        assert viewer is not None
        assert viewer.expires_at == START + timedelta(hours=1)
        if how == "revoked":
            await tokens.revoke(store, token.id, now=START)
        elif how == "rotated":
            await tokens.rotate(store, token.id, overlap=timedelta(minutes=10), now=START)
            world.step()
            assert await find(cookie) is not None
            world.step(minutes=10)
        elif how == "rotated twice":
            for _ in range(2):
                await tokens.rotate(store, token.id, overlap=timedelta(minutes=10), now=START)
        elif how == "expired":
            world.now += timedelta(hours=1)
            return await find(cookie) is None
        elif how == "signed out elsewhere":
            assert viewer.session is not None
            await Sessions(store, world.links, world.sessions.rules).end(viewer.session, now=START)
        if how != "rotated":
            assert await find(cookie) is not None  # known for a second
        world.step()
        return await find(cookie) is None

    for how in ("revoked", "rotated", "rotated twice", "expired", "signed out elsewhere"):
        assert await ended(World(store), how), how


async def test_a_session_ends_after_its_hours_however_busy_and_after_resting(sqlite_store: Store) -> None:
    world = World(sqlite_store)
    made = await world.token(Role.MANAGER)
    async with world.browser() as busy, world.browser() as resting:
        await sign_in(busy, made.secret)
        await sign_in(resting, made.secret)
        for hour in range(1, 12):
            world.step(hours=1)
            assert ((await asked(busy)).status_code, hour) == (200, hour)
        assert (await asked(resting)).status_code == 401
        world.step(minutes=59)
        assert (await asked(busy)).status_code == 200
        world.step(minutes=1)
        assert (await asked(busy)).status_code == 401
    await world.admission.close()


async def test_signing_out_ends_the_session_and_signing_in_anew_the_one_before(
    world: World, browser: httpx.AsyncClient
) -> None:
    made = await world.token()
    first = (await sign_in(browser, made.secret)).cookies["__Host-cshub"]
    form = await form_of(await _elsewhere(world, browser))
    second = await browser.post("/sign-in", data={**form, "token": made.secret}, headers=PAGE)
    assert second.cookies["__Host-cshub"] != first
    async with world.browser() as old:
        old.cookies.set("__Host-cshub", first)
        assert (await asked(old)).status_code == 401
    foreign = await browser.post(
        "/sign-out", headers={"sec-fetch-site": "cross-site", "origin": "https://evil.example"}
    )
    assert (foreign.status_code, (await asked(browser)).status_code) == (403, 200)
    kept = browser.cookies["__Host-cshub"]
    out = await browser.post("/sign-out", headers={**PAGE, "origin": "null"})
    assert (out.status_code, out.headers["location"]) == (303, "/sign-in?out=1")
    assert "__Host-cshub" not in browser.cookies
    assert "You are signed out." in (await browser.get("/sign-in?out=1")).text
    async with world.browser() as thief:
        thief.cookies.set("__Host-cshub", kept)
        assert (await asked(thief)).status_code == 401
    assert [action for _, action, _ in await world.noted()] == ["signIn", "signIn", "signOut", "signOut"]
    assert (await browser.get("/sign-out")).status_code == 405


async def _elsewhere(world: World, browser: httpx.AsyncClient) -> httpx.AsyncClient:
    """The same browser, but for the session."""
    other = world.browser()
    for name, value in browser.cookies.items():
        if name != "__Host-cshub":
            other.cookies.set(name, value)
    return other


async def test_a_wrong_token_is_told_nothing_noted_without_it_and_slowed_down(
    world: World, browser: httpx.AsyncClient
) -> None:
    made = await world.token()
    revoked = await world.token()
    await tokens.revoke(world.store, revoked.token.id, now=START)
    form = await form_of(browser)
    for secret in ["hunter2", "", "cshub_guess", revoked.secret] * 2 + ["x"] * 2:
        answer = await browser.post("/sign-in", data={**form, "token": secret}, headers=PAGE)
        assert answer.status_code == 401
        assert OPENS_NOTHING in unescape(answer.text)
        assert "__Host-cshub=" not in str(answer.headers)
        assert not secret or secret not in answer.text or secret == "x"
    slowed = await browser.post("/sign-in", data={**form, "token": made.secret}, headers=PAGE)
    assert (slowed.status_code, slowed.headers["retry-after"]) == (429, "60")
    assert "__Host-cshub" not in browser.cookies
    entries = await world.entries()
    assert len(entries) == 10
    assert {(each.actor, each.action, each.detail["outcome"]) for each in entries} == {
        ("(nobody)", "signIn", "refused: no valid token")
    }
    assert "hunter2" not in str(entries)
    world.seconds.now += 60
    assert (await browser.post("/sign-in", data={**form, "token": made.secret}, headers=PAGE)).status_code == 303


async def test_a_form_of_another_page_or_browser_signs_nobody_in(world: World, browser: httpx.AsyncClient) -> None:
    made = await world.token()
    form = {**await form_of(browser), "token": made.secret}
    async with world.browser() as other:
        theirs = {**await form_of(other), "token": made.secret}
    world.now += timedelta(hours=1)
    stale = dict(form)
    form = {**await form_of(browser), "token": made.secret}
    for data, headers in (
        (form, {**PAGE, "sec-fetch-site": "cross-site"}),
        (form, {**PAGE, "origin": "https://evil.example"}),
        (form, {"origin": "null"}),
        (theirs, PAGE),
        (stale, PAGE),
        ({"token": made.secret}, PAGE),
        ({**form, "form": world.links.sign("session", {"n": "x"})}, PAGE),
    ):
        refused = await browser.post("/sign-in", data=data, headers=headers)
        assert refused.status_code == 403
        assert "__Host-cshub" not in browser.cookies
    assert (await browser.post("/sign-in", content=b"x" * 8_001, headers=PAGE)).status_code == 400
    assert await world.noted() == []
    assert (await browser.post("/sign-in", data=form, headers=PAGE)).status_code == 303


async def test_forged_and_borrowed_cookies_open_nothing(world: World, browser: httpx.AsyncClient) -> None:
    good = (await sign_in(browser, (await world.token()).secret)).cookies["__Host-cshub"]
    find = entrance(world.admission, clock=lambda: world.now)
    data = world.links.read("session", good, now=world.now)
    for value in (
        good[:-1],
        str(data["s"]),
        world.links.sign("sign-in", data),
        Links("t" * 32).sign("session", data),
        world.links.sign("session", {"s": "x" * 43}),
        world.links.sign("session", {"n": "x"}),
        "x" * 5_000,
        "",
    ):
        assert await find({"cookie": f"__Host-cshub={value}"}) is None
    assert await find({"cookie": f"cshub_session={good}"}) is None
    assert await find({"cookie": f"__Host-cshub={good}"}) is not None
    world.step(hours=12)
    assert await find({"cookie": f"__Host-cshub={good}"}) is None


async def test_the_page_is_plain_strict_and_offers_the_demos_tokens(sqlite_store: Store) -> None:
    made = DemoToken(who="Sign in as an admin", sees="All customers.", secret="cshub_demo")
    world = World(sqlite_store, demo=(made,))
    async with world.browser() as browser:
        page = await browser.get("/sign-in?next=//evil.example")
    assert page.headers["content-security-policy"].startswith("default-src 'none'; script-src 'self'; style-src 'self'")
    assert (page.headers["referrer-policy"], page.headers["cache-control"]) == ("same-origin", "no-store")
    for inline in ("<style", " style=", "<script>", " onclick"):
        assert inline not in page.text
    assert page.text.count('name="next" value="/"') == 2
    assert 'value="cshub_demo"' in page.text
    assert "cshub_demo" not in repr(world.entry)


@pytest.mark.parametrize(
    ("given", "gone_to"),
    [
        ("/customers?band=critical#x", "/customers?band=critical#x"),
        (None, "/"),
        ("", "/"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("/\t/evil.example", "/"),
        ("https://evil.example/", "/"),
        ("javascript:alert(1)", "/"),
        ("/a\r\nSet-Cookie: x=y", "/"),
        ("/ä", "/"),
        ("/sign-in?next=/", "/"),
        ("/sign-out", "/"),
        ("/" + "x" * 1_000, "/"),
    ],
)
def test_one_goes_on_only_to_a_path_of_ours(given: str | None, gone_to: str) -> None:
    assert local_path(given) == gone_to


def test_tries_are_counted_by_address_in_bounded_memory() -> None:
    seconds = Seconds()
    throttle = Throttle(most=2, seconds=60, monotonic=seconds)
    for address in ("2001:db8::1", "2001:db8::2"):
        assert throttle.wait(address) == 0
        throttle.note(address)
    assert throttle.wait("2001:db8::3") == 60
    assert throttle.wait("2001:db8:0:1::3") == 0
    seconds.now += 59
    assert throttle.wait("2001:db8::1") == 1
    seconds.now += 1
    assert throttle.wait("2001:db8::1") == 0
    for number in range(REMEMBERED + 5):
        throttle.note(f"host-{number}")
    assert len(throttle._tries) == REMEMBERED


async def test_a_narrowed_token_stays_narrow_in_its_session(world: World) -> None:
    made = await world.token(Role.ADMIN, scopes=[Scope.READ])
    opened = await world.sessions.open_by_token(made.token, made.secret, now=START)
    assert opened.viewer.scopes == {Scope.READ}

"""Tokens are asked for, kept before they are used, renewed once; what the vendor refuses names no secret."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from pydantic import SecretStr

from connectors.kit.budget import Budget
from connectors.kit.errors import DeniedError
from connectors.kit.http import Client
from connectors.kit.oauth import ClientCredentials, JwtBearer, RefreshToken, Tokens, Vault

URL = "https://login.vendor.example/oauth/token"
FIRST, SECRET = "refresh-number-0", "client-secret-value"


class Vendor:
    """Token endpoint and API in one: refresh tokens are good once, access tokens until `expire`."""

    def __init__(self, *, expires_in: int | None = 3600) -> None:
        self.expires_in, self.count, self.valid = expires_in, 0, FIRST
        self.forms: list[dict[str, str]] = []
        self.headers: list[str | None] = []
        self.good: str | None = None
        self.calls = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/things":
            self.calls += 1
            if request.headers.get("authorization") != f"Bearer {self.good}":
                return httpx.Response(401, json={"error": "expired"})
            return httpx.Response(200, json=[1])
        form = dict(parse_qsl(request.content.decode()))
        self.forms.append(form)
        self.headers.append(request.headers.get("authorization"))
        if form["grant_type"] == "refresh_token" and form["refresh_token"] != self.valid:
            words = f"token {form['refresh_token']} of {form.get('client_secret')} is used up"
            return httpx.Response(400, json={"error": "invalid_grant", "error_description": words})
        self.count += 1
        self.good, self.valid = f"access-{self.count}", f"refresh-number-{self.count}"
        body: dict[str, Any] = {"access_token": self.good, "token_type": "Bearer"}
        if form["grant_type"] == "refresh_token":
            body["refresh_token"] = self.valid
        if self.expires_in is not None:
            body["expires_in"] = self.expires_in
        return httpx.Response(200, json=body)


def refreshing() -> RefreshToken:
    return RefreshToken("app", SecretStr(SECRET), SecretStr(FIRST))


def client(vendor: Vendor, tokens: Tokens) -> Client:
    return Client(
        "https://api.vendor.example",
        budget=Budget({}),
        authorize=tokens.current,
        renew=tokens.renew,
        transport=httpx.MockTransport(vendor),
    )


async def test_a_rotating_refresh_token_is_kept_before_the_access_token_is_used(fake_time: Any) -> None:
    vendor, kept = Vendor(), list[tuple[int, Mapping[str, str]]]()

    async def keep(values: Mapping[str, str]) -> None:
        kept.append((vendor.calls, values))

    tokens = Tokens(
        URL, grant=refreshing(), vault=Vault(keep=keep), transport=httpx.MockTransport(vendor), clock=fake_time.clock
    )
    async with client(vendor, tokens) as source:
        assert await source.get_json("/things") == [1]
        vendor.good = "something else"  # expired before its time
        assert await source.get_json("/things") == [1]
    assert [(calls, values["refresh_token"]) for calls, values in kept] == [
        (0, "refresh-number-1"),
        (2, "refresh-number-2"),
    ]
    assert [form["refresh_token"] for form in vendor.forms] == [FIRST, "refresh-number-1"]
    assert vendor.forms[0]["client_secret"] == SECRET
    # the next process goes on from what was kept, without asking for a token
    again = Tokens(URL, grant=refreshing(), vault=Vault(kept[-1][1]), clock=fake_time.clock)
    assert await again.current() == "Bearer access-2"


async def test_a_failure_to_keep_means_the_token_is_not_used() -> None:
    vendor = Vendor()

    async def keep(values: Mapping[str, str]) -> None:
        raise OSError("the store is away")

    tokens = Tokens(URL, grant=refreshing(), vault=Vault(keep=keep), transport=httpx.MockTransport(vendor))
    async with client(vendor, tokens) as source:
        with pytest.raises(OSError, match="away"):
            await source.get_json("/things")
    assert vendor.calls == 0


async def test_what_another_process_kept_is_used_and_a_new_credential_voids_it(fake_time: Any) -> None:
    vendor = Vendor()
    store: dict[str, str] = {}

    async def keep(values: Mapping[str, str]) -> None:
        store.clear()
        store.update(values)

    async def recall() -> Mapping[str, str]:
        return dict(store)

    def tokens(grant: RefreshToken) -> Tokens:
        vault = Vault(keep=keep, recall=recall)
        return Tokens(URL, grant=grant, vault=vault, transport=httpx.MockTransport(vendor), clock=fake_time.clock)

    one, two = tokens(refreshing()), tokens(refreshing())
    await one.current()
    assert await two.renew() == "Bearer access-2"
    assert await one.renew() == "Bearer access-3"
    vendor.valid = "entered-anew"
    fresh = tokens(RefreshToken("app", SecretStr(SECRET), SecretStr("entered-anew")))
    assert await fresh.current() == "Bearer access-4"


async def test_a_token_about_to_run_out_is_not_used(fake_time: Any) -> None:
    vendor = Vendor(expires_in=300)
    grant = ClientCredentials("app", SecretStr(SECRET), scope="read", extra={"audience": "insights"})
    tokens = Tokens(URL, grant=grant, basic_auth=True, transport=httpx.MockTransport(vendor), clock=fake_time.clock)
    assert [await tokens.current(), await tokens.current()] == ["Bearer access-1"] * 2
    fake_time.passed = 250
    assert await tokens.current() == "Bearer access-2"
    assert vendor.forms == [{"grant_type": "client_credentials", "scope": "read", "audience": "insights"}] * 2
    assert vendor.headers == ["Basic YXBwOmNsaWVudC1zZWNyZXQtdmFsdWU="] * 2
    assert SECRET not in repr(grant)


async def test_a_signed_assertion_names_issuer_subject_and_audience(fake_time: Any) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    vendor = Vendor(expires_in=None)
    grant = JwtBearer("app", SecretStr(pem), subject="hub@ourco.example", claims={"scope": "read"}, key_id="k1")
    tokens = Tokens(URL, grant=grant, transport=httpx.MockTransport(vendor), clock=fake_time.clock)
    assert await tokens.current() == "Bearer access-1"
    (form,) = vendor.forms
    assert set(form) == {"grant_type", "assertion"}
    now = int(fake_time.clock().timestamp())
    claims = jwt.decode(
        form["assertion"], key.public_key(), algorithms=["RS256"], audience=URL,
        options={"verify_exp": False, "verify_iat": False},
    )  # fmt: skip
    assert claims == {
        "iss": "app", "sub": "hub@ourco.example", "aud": URL, "iat": now, "exp": now + 180, "scope": "read"
    }  # fmt: skip
    assert jwt.get_unverified_header(form["assertion"])["kid"] == "k1"
    broken = Tokens(URL, grant=JwtBearer("app", SecretStr("no key at all")), transport=httpx.MockTransport(vendor))
    with pytest.raises(DeniedError, match="no PEM key for RS256"):
        await broken.current()
    assert len(vendor.forms) == 1


async def test_a_refused_refresh_is_for_a_person_and_tells_no_secret() -> None:
    vendor = Vendor()
    vendor.valid = "another"
    tokens = Tokens(URL, grant=refreshing(), transport=httpx.MockTransport(vendor))
    with pytest.raises(DeniedError, match="authorise the source again") as caught:
        await tokens.current()
    assert "invalid_grant token *** of *** is used up" in str(caught.value)
    assert len(vendor.forms) == 1

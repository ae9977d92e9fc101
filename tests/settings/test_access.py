"""The section `access` of hub.yaml: what it takes, and what it says of what it does not."""

import pytest

from hub.access.oidc import OidcRules
from hub.documents import Document
from hub.errors import ConfigError
from hub.model.actions import Role
from hub.settings.files import HubFile

GOOD = "issuer: 'https://login.example.com', audience: cshub, roles: {heads: manager}"


def parsed(access: str) -> HubFile:
    return Document.from_text(f"store: sqlite:///x.db\naccess: {access}\n", name="hub.yaml").parse(HubFile)


def test_without_it_csms_see_everybody_and_our_tokens_alone_open() -> None:
    access = HubFile(store="sqlite:///x.db").access
    assert (access.csm, access.oidc, access.sign_on) == ("all", None, None)


def test_an_issuer_with_all_it_can_say() -> None:
    access = parsed(
        "{csm: book, oidc: {issuer: 'https://l.example/r', audience: [a, b], jwks_url: 'https://l.example/k',"
        " algorithms: [ES256], claims: {email: mail, roles: realm.roles}, roles: {heads: manager, team: csm}}}"
    ).access
    assert access.csm == "book"
    assert access.sign_on == OidcRules(
        issuer="https://l.example/r",
        audience=("a", "b"),
        jwks_url="https://l.example/k",
        algorithms=("ES256",),
        email_claim="mail",
        roles_claim="realm.roles",
        roles={"heads": Role.MANAGER, "team": Role.CSM},
    )


def test_what_is_left_out_has_a_default() -> None:
    rules = parsed(f"{{oidc: {{{GOOD}}}}}").access.sign_on
    assert rules is not None
    assert (rules.audience, rules.algorithms) == (("cshub",), ("RS256", "ES256"))
    assert (rules.email_claim, rules.roles_claim, rules.jwks_url) == ("email", "roles", None)


def test_people_sign_in_there_where_the_hub_is_a_client() -> None:
    access = parsed(
        f"{{oidc: {{{GOOD}, client_id: dash, client_secret: hush, button: Example, scopes: [openid, x]}}}}"
    ).access
    assert access.oidc is not None
    assert (access.oidc.button, access.oidc.scopes) == ("Example", ["openid", "x"])
    assert "hush" not in repr(access)
    assert access.sign_in is not None
    assert access.sign_on is not None
    assert (access.sign_in.audience, access.sign_on.audience) == (("dash",), ("cshub",))
    alone = parsed("{oidc: {issuer: 'https://l.example', client_id: dash, roles: {a: csm}}}").access
    assert alone.sign_on is None, "an id_token is no access token"
    assert alone.sign_in == OidcRules(issuer="https://l.example", audience=("dash",), roles={"a": Role.CSM})
    assert parsed(f"{{oidc: {{{GOOD}}}}}").access.sign_in is None


@pytest.mark.parametrize(
    ("access", "words"),
    [
        ("{csm: some}", "access.csm.*choices: all, book"),
        ("{oidc: {audience: x, roles: {a: csm}}}", "access.oidc.issuer"),
        ("{oidc: {issuer: 'http://login.example.com', audience: x, roles: {a: csm}}}", "must begin with https://"),
        (f"{{oidc: {{{GOOD}, jwks_url: 'http://login.example.com/k'}}}}", "must begin with https://"),
        (f"{{oidc: {{{GOOD}, algorithms: [HS256]}}}}", "'HS256' is no algorithm here; there are RS256, .*ES256"),
        (f"{{oidc: {{{GOOD}, algorithms: [none]}}}}", "'none' is no algorithm here"),
        ("{oidc: {issuer: 'https://l.example', audience: x, roles: {a: boss}}}", "viewer.*csm.*manager.*admin"),
        ("{oidc: {issuer: 'https://l.example', audience: x, roles: {}}}", "access.oidc.roles"),
        ("{oidc: {issuer: 'https://l.example', audience: [], roles: {a: csm}}}", "access.oidc.audience"),
        (f"{{oidc: {{{GOOD}, secret: x}}}}", "access.oidc.secret"),
        ("{oidc: {issuer: 'https://l.example', roles: {a: csm}}}", "needs an audience.*or a client_id"),
        (f"{{oidc: {{{GOOD}, client_secret: x}}}}", "client_secret is of a client_id"),
        (f"{{oidc: {{{GOOD}, client_id: x, scopes: [email]}}}}", "openid is one of them"),
    ],
)
def test_what_cannot_be(access: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        parsed(access)


def test_for_how_long_somebody_stays_signed_in() -> None:
    text = "store: sqlite:///x.db\ndashboard: {session_hours: 8, idle_minutes: 30}\n"
    dashboard = Document.from_text(text, name="hub.yaml").parse(HubFile).dashboard
    assert (dashboard.session_hours, dashboard.idle_minutes) == (8, 30)
    usual = HubFile(store="sqlite:///x.db").dashboard
    assert (usual.session_hours, usual.idle_minutes) == (12, 240)
    with pytest.raises(ConfigError, match="idle_minutes"):
        Document.from_text(text.replace("30", "1"), name="hub.yaml").parse(HubFile)

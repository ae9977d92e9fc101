"""Admin: how tokens stand, what an audit entry tells, and that these pages are for admins."""

from datetime import UTC, datetime
from typing import Any

from hub.access.privacy.asking import About
from hub.access.privacy.erasing import erase
from hub.access.viewer import SCOPES as ALLOWED
from hub.model.actions import Role
from hub.web.dashboard.pages.admin import ROLES, SCOPES, standing, tokens
from hub.web.dashboard.pages.admin_audit import detail
from tests.web.dashboard.conftest import Dashboard

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
TOKEN: dict[str, Any] = {"id": "a", "revokedAt": None, "expiresAt": None, "previousUntil": None}


def test_how_a_token_stands() -> None:
    assert standing(TOKEN, NOW) == ("good", "valid")
    assert standing({**TOKEN, "expiresAt": "2026-12-01T00:00:00+00:00"}, NOW) == ("warn", "expires soon")
    assert standing({**TOKEN, "expiresAt": "2026-11-23T12:00:00+00:00"}, NOW) == ("plain", "expired")
    assert standing({**TOKEN, "revokedAt": "2026-11-01T00:00:00+00:00"}, NOW) == ("plain", "revoked")


def test_invalid_tokens_come_last_and_an_old_secret_is_told_while_it_opens() -> None:
    old = {**TOKEN, "id": "b", "previousUntil": "2026-11-24T00:00:00+00:00"}
    gone = {**old, "id": "c", "revokedAt": "2026-11-20T00:00:00+00:00"}
    assert [(each["id"], each["live"], each["older"]) for each in tokens([gone, old, TOKEN], NOW)] == [
        ("b", True, True),
        ("a", True, False),
        ("c", False, False),
    ]


def test_every_role_and_scope_is_explained() -> None:
    assert [each.upper() for each in Role] == list(ROLES)
    assert {scope.upper() for scopes in ALLOWED.values() for scope in scopes} == set(SCOPES)


def test_what_an_entry_of_the_audit_log_tells() -> None:
    assert detail('{"name":"ops","csm":null,"scopes":["read"],"number":7}') == [
        ("name", "ops"),
        ("scopes", '["read"]'),
        ("number", "7"),
    ]
    assert detail(None) == []


async def test_the_pages_of_admins(dashboard: Dashboard) -> None:
    page = await dashboard.get("/admin")
    assert "a admin" in page
    assert 'data-action="token-create"' in page
    assert "Manager" in await dashboard.get("/admin/team")
    privacy = await dashboard.get("/admin/privacy")
    for action in ("person", "customer"):
        assert f'data-action="{action}-erase"' in privacy
    assert privacy.count("&#34;dryRun&#34;: true") == 2  # erasing is a look until it is confirmed
    assert "Nobody was erased yet" in privacy


async def test_what_was_erased_is_reported_without_a_name(dashboard: Dashboard) -> None:
    who = "mia@acme.example"
    done = await erase(dashboard.hub.store, About(person=(who,)), by="ann", now=NOW)
    page = await dashboard.get("/admin/privacy")
    assert f'id="erasure-{done.id}"' in page
    assert "<strong>A person</strong>" in page
    assert "the sources themselves" in page
    assert who not in page


async def test_the_audit_log_by_days_and_with_details_only_when_asked(dashboard: Dashboard) -> None:
    await dashboard.get("/admin/audit?details=yes")
    page = await dashboard.get("/admin/audit?action=personalRead&from=2026-01-01&to=2026-12-31")
    assert "AuditRecord.detail" in page  # that they were read
    assert "<details" not in page
    assert "No such entry" in await dashboard.get("/admin/audit?from=2001-01-01&to=2001-01-02")
    await dashboard.get("/admin/audit?from=yesterday", status=404)


async def test_nobody_else_sees_them(dashboard: Dashboard) -> None:
    await dashboard.as_(Role.MANAGER)
    for path in ("/admin", "/admin/team", "/admin/audit", "/admin/privacy"):
        assert "Not for this role" in await dashboard.get(path, status=403)

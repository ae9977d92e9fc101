"""The frame of the dashboard: who sees a page, what stands in for one that can't be shown, and that every document is sound."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from graphql import OperationDefinitionNode, parse, validate

from hub.asgi import app
from hub.cli.serve import Served
from hub.compose.graphql import guard_of
from hub.model.actions import Role
from hub.web.dashboard import words
from hub.web.dashboard.pages import PAGES
from hub.web.dashboard.serving import FOLDER, documents
from schema.api import SCHEMA
from tests.fakes.scored_company import opened
from tests.web.dashboard.conftest import Dashboard


async def test_who_is_not_signed_in_is_sent_to_sign_in_and_back(dashboard: Dashboard) -> None:
    del dashboard.client.headers["authorization"]
    answer = await dashboard.client.get("/?since=2026-10-01")
    assert (answer.status_code, answer.headers["location"]) == (
        303,
        "/sign-in?next=%2F%3Fsince%3D2026-10-01",
    )


async def test_the_place_of_admins_is_shown_to_admins_alone(dashboard: Dashboard) -> None:
    assert 'href="/admin"' in await dashboard.get("/")
    await dashboard.as_(Role.MANAGER)
    assert 'href="/admin"' not in await dashboard.get("/")


async def test_the_links_of_messages_open_their_customer(dashboard: Dashboard) -> None:
    assert "Customer 000" in await dashboard.get("/customers/c000")  # the hub's own key
    page = await dashboard.get("/customers/nobody", status=404)
    assert "Not there" in page
    assert "Customer 000" not in page


@pytest.mark.parametrize("folder", ["", "actions"])
def test_every_document_is_one_operation_of_the_api(folder: str) -> None:
    texts = documents(folder)
    assert texts
    for name, text in texts.items():
        document = parse(text)
        assert (name, validate(SCHEMA._schema, document)) == (name, [])
        operations = [each for each in document.definitions if isinstance(each, OperationDefinitionNode)]
        assert (name, len(operations)) == (name, 1)


async def test_pages_go_on_where_only_trusted_documents_are_answered(scored_company: Path, tmp_path: Path) -> None:
    shutil.copytree(scored_company, tmp_path / "hub")
    (tmp_path / "documents").mkdir()
    (tmp_path / "documents" / "me.graphql").write_text("{ viewer { role } }", "utf-8")
    written = tmp_path / "hub" / "config" / "hub.yaml"
    rules = f"graphql: {{only_trusted: admins_too, documents: {tmp_path / 'documents'}}}"
    written.write_text(f"{written.read_text('utf-8')}\n{rules}\n", "utf-8")
    async with opened(tmp_path / "hub", tmp_path / "copy") as hub:
        application = app(Served(hub, None), guard=guard_of(hub.settings))
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(application), base_url="http://hub.example"
        ) as client:
            dashboard = await Dashboard(hub, client).as_(Role.ADMIN)
            assert "Call first" in await dashboard.get("/")
            assert "Health" in await dashboard.get("/customers/c002/notes")
            asked = {"query": documents("actions")["customers-named"], "variables": {"search": "x"}}
            own = await client.post("/graphql", json=asked)
            other = await client.post("/graphql", json={"query": "{ viewer { name } }"})
    assert "UNTRUSTED_DOCUMENT" not in own.text
    assert "UNTRUSTED_DOCUMENT" in other.text


def test_every_page_has_its_template_and_document_and_no_other_is_there() -> None:
    names = {page.name for page in PAGES}
    assert names == set(documents())
    frame = {"layout", "layout_plain", "trouble", "sign_in"}
    assert {each.stem for each in FOLDER.glob("*.html")} - frame == names
    assert len({page.path for page in PAGES}) == len(PAGES)


def test_figures_in_words() -> None:
    assert [words.points(each) for each in (0.0, 0.304, 1.0, None)] == ["0", "30", "100", words.MISSING]
    assert [words.signed_points(each) for each in (0.04, -0.121, 0.001)] == [
        "+4",
        "\N{MINUS SIGN}12",
        "\N{PLUS-MINUS SIGN}0",
    ]
    assert [words.money(each, "EUR") for each in (950.4, 12_300.0, 2_000_000.0)] == ["EUR 950", "EUR 12.3 k", "EUR 2 M"]
    assert words.percent(0.125, 1) == "12.5 %"
    now = datetime(2026, 11, 23, 12, tzinfo=UTC)
    assert [words.days_until(each, now) for each in ("2026-11-23", "2026-11-24", "2026-11-20")] == [
        "today",
        "in 1 day",
        "3 days ago",
    ]
    assert ">2 hours ago</time>" in words.ago("2026-11-23T09:30:00+00:00", now)
    assert words.moment("2026-11-23T09:30:00+02:00") == (
        '<time datetime="2026-11-23T07:30:00+00:00" data-moment>23 Nov 2026, 07:30 UTC</time>'
    )

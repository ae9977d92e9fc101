"""The page to vote on from a mail: opening it changes nothing, its form votes, a forged link does nothing."""

from datetime import UTC, datetime

import httpx
import pytest
from starlette.applications import Starlette

from hub.access.links import Links
from hub.errors import NotFoundError
from hub.web.rating import path_of, routes

NOW = datetime(2026, 11, 24, tzinfo=UTC)
LINKS = Links("secret")
PATH = path_of(LINKS, "run_1", "ann@example.com")


class Votes:
    def __init__(self) -> None:
        self.cast: list[tuple[str, str, bool, str | None]] = []

    async def __call__(self, run_id: str, voter: str, useful: bool, note: str | None) -> str:
        if run_id == "run_gone":
            raise NotFoundError("there is no run 'run_gone'")
        self.cast.append((run_id, voter, useful, note))
        return "churn_save"


@pytest.fixture
def votes() -> Votes:
    return Votes()


@pytest.fixture
def client(votes: Votes) -> httpx.AsyncClient:
    app = Starlette(routes=routes(LINKS, votes, company="Northbeam", clock=lambda: NOW))
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://hub")


async def test_looking_votes_nothing(client: httpx.AsyncClient, votes: Votes) -> None:
    for method in ("GET", "HEAD"):
        shown = await client.request(method, PATH)
        assert shown.status_code == 200
        assert shown.headers["Cache-Control"] == "no-store"
    page = (await client.get(PATH)).text
    assert "Was this of use?" in page
    assert "You answer as ann@example.com." in page
    assert votes.cast == []


async def test_a_click_votes_and_another_changes_the_mind(client: httpx.AsyncClient, votes: Votes) -> None:
    shown = await client.post(PATH, data={"useful": "no", "note": " <b>no</b> "})
    assert shown.status_code == 200
    assert "Noted for <strong>churn_save</strong>: not useful." in shown.text
    await client.post(PATH, data={"useful": "yes", "note": ""})
    assert votes.cast == [
        ("run_1", "ann@example.com", False, "<b>no</b>"),
        ("run_1", "ann@example.com", True, None),
    ]


@pytest.mark.parametrize("change", [lambda path: path[:-2], lambda path: path + "x", lambda path: "/rate/x.y"])
async def test_a_forged_link_votes_nothing(client: httpx.AsyncClient, votes: Votes, change: object) -> None:
    assert callable(change)
    for method in ("GET", "POST"):
        shown = await client.request(method, change(PATH), data={"useful": "no"} if method == "POST" else None)
        assert shown.status_code == 404
        assert "That did not work" in shown.text
    other = LINKS.sign("unsubscribe", {"run": "run_1", "voter": "ann@example.com"})
    assert (await client.post(f"/rate/{other}", data={"useful": "no"})).status_code == 404
    assert votes.cast == []


async def test_a_form_without_an_answer_and_one_too_large(client: httpx.AsyncClient, votes: Votes) -> None:
    assert (await client.post(PATH, data={"useful": "perhaps"})).status_code == 400
    assert (await client.post(PATH, data={"useful": "no", "note": "x" * 20_000})).status_code == 413
    gone = path_of(LINKS, "run_gone", "ann@example.com")
    assert (await client.post(gone, data={"useful": "no"})).status_code == 404
    assert votes.cast == []


def test_the_same_asks_by_the_same_link() -> None:
    assert path_of(LINKS, "run_1", "ann@example.com") == PATH
    assert path_of(LINKS, "run_1", "bo@example.com") != PATH

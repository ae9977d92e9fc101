"""The page to unsubscribe on: opening it does nothing, one POST does."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

import httpx
import pytest
from starlette.applications import Starlette

from hub.access.links import Links
from hub.web.unsubscribe import PATH, routes, token_of
from tests.fakes.serving import serving

NOW = datetime(2026, 11, 2, 10, tzinfo=UTC)
LINKS = Links("a secret of the test")


@dataclass
class Served:
    client: httpx.AsyncClient
    asked: list[tuple[str, str]] = field(default_factory=list)


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    asked: list[tuple[str, str]] = []

    async def unsubscribe(address: str, topic: str) -> None:
        asked.append((address, topic))

    app = Starlette(routes=routes(LINKS, unsubscribe, company="<Cloud> & Co", clock=lambda: NOW))
    async with serving(app) as url, httpx.AsyncClient(base_url=url) as client:
        yield Served(client, asked)


def path(address: str = "Ann@x.example", topic: str = "offers") -> str:
    return PATH + token_of(LINKS, address, topic)


async def test_opening_the_page_unsubscribes_nobody(served: Served) -> None:
    for method in ("GET", "HEAD", "OPTIONS"):
        await served.client.request(method, path())
    page = await served.client.get(path())
    assert (page.status_code, served.asked) == (200, [])
    assert "ann@x.example" in page.text
    assert "&lt;Cloud&gt; &amp; Co" in page.text
    assert page.text.count('<form method="post">') == 2, "this topic, or everything"
    assert (page.headers["cache-control"], page.headers["x-robots-tag"]) == ("no-store", "noindex")
    assert (await served.client.get(path(topic=""))).text.count("<form") == 1


async def test_one_click(served: Served) -> None:
    answer = await served.client.post(path(), data={"List-Unsubscribe": "One-Click"})
    assert (answer.status_code, served.asked) == (200, [("ann@x.example", "offers")])
    assert not answer.has_redirect_location
    await served.client.post(path(topic=""), data={"List-Unsubscribe": "One-Click"})
    assert served.asked[1:] == [("ann@x.example", "")]


async def test_one_click_as_a_form_of_parts(served: Served) -> None:
    """RFC 8058, 3.1: multipart/form-data is allowed too."""
    answer = await served.client.post(path(), files={"List-Unsubscribe": (None, "One-Click")})
    assert (answer.status_code, served.asked) == (200, [("ann@x.example", "offers")])


@pytest.mark.parametrize(("wanted", "topic"), [("topic", "offers"), ("everything", "")])
async def test_the_forms_of_the_page(served: Served, wanted: str, topic: str) -> None:
    answer = await served.client.post(path(), data={"from": wanted})
    assert (answer.status_code, served.asked) == (200, [("ann@x.example", topic)])
    assert "You are unsubscribed" in answer.text


@pytest.mark.parametrize("data", [{}, {"from": "nothing"}, {"List-Unsubscribe": "No"}])
async def test_a_form_that_says_nothing_unsubscribes_nobody(served: Served, data: dict[str, str]) -> None:
    assert (await served.client.post(path(), data=data)).status_code == 400
    assert served.asked == []


async def test_what_is_too_long_is_not_read(served: Served) -> None:
    assert (await served.client.post(path(), content=b"x" * 20_000)).status_code == 413
    assert served.asked == []


async def test_only_our_links(served: Served) -> None:
    other = Links("another secret").sign("unsubscribe", {"email": "a@x.example", "topic": ""})
    purpose = LINKS.sign("survey", {"email": "a@x.example", "topic": ""})
    for token in (other, purpose, "nonsense", path().removeprefix(PATH)[:-1]):
        for method in ("GET", "POST"):
            answer = await served.client.request(method, PATH + token, data={"from": "everything"})
            assert (answer.status_code, "That did not work" in answer.text) == (404, True)
    assert served.asked == []

"""The page of a survey over real HTTP against the whole application: looking records nothing, one button does, once."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import delete

from hub.store.tables import external_id, survey_invitation, survey_response
from hub.web.survey import path_of
from tests.lifecycle.advocacy import conftest as advocacy
from tests.lifecycle.advocacy.conftest import NOW, Place, due_ids

place = advocacy.place
ONE = due_ids(1)[0]
KIM = f"kim@{ONE}.example"


@pytest.fixture
async def links(place: Place) -> list[str]:
    """The eleven links Kim got."""
    await place.customer(ONE, "kim:champion")
    await place.desk.send()
    await place.settle(3)
    return place.links(KIM)


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(follow_redirects=False) as opened:
        yield opened


def form_of(link: str) -> str:
    return link.rpartition("/")[0]


async def responses(place: Place) -> list[tuple[Any, ...]]:
    return [
        (
            row["source"],
            row["customer_id"],
            row["type"],
            row["scale"],
            row["score"],
            row["comment"],
            row["respondent_email"],
        )
        for row in await place.rows(survey_response)
    ]


async def test_looking_records_nothing(place: Place, links: list[str], client: httpx.AsyncClient) -> None:
    for score, link in enumerate(links):
        for method in ("GET", "HEAD", "OPTIONS"):
            await client.request(method, link)
        page = await client.get(link)
        assert page.status_code == 200
        assert re.findall(r'value="(\d+)" required checked', page.text) == [str(score)]
    assert (await client.get(form_of(links[0]))).text.count("checked") == 1, "only in the style: nothing is chosen"
    assert (await client.get(form_of(links[0]) + "/11")).status_code == 200
    assert [row["answered_at"] for row in await place.invitations()] == [None]
    assert await responses(place) == []


async def test_what_the_page_may_do(links: list[str], client: httpx.AsyncClient) -> None:
    page = await client.get(links[9])
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert "<script" not in page.text
    assert re.findall(r"(?:src|href|action)=", page.text) == [], "it loads nothing and sends to itself"
    assert page.text.count("<button") == page.text.count("<form") == page.text.count("<h1") == 1
    assert f"You answer as {KIM}." in page.text
    assert (page.headers["cache-control"], page.headers["referrer-policy"]) == ("no-store", "no-referrer")


async def test_an_answer_is_a_survey_response_like_any_other(
    place: Place, links: list[str], client: httpx.AsyncClient
) -> None:
    place.clock.now = NOW + timedelta(hours=2)
    taken = await client.post(
        form_of(links[9]), data={"what": "answer", "score": "9", "comment": " <b>Fast</b>\r\nhelp "}
    )
    assert taken.status_code == 200
    assert "Northbeam got your answer: <strong>9</strong> of 10." in taken.text
    assert "&lt;b&gt;Fast&lt;/b&gt;" in taken.text
    assert await responses(place) == [("cshub", ONE, "nps", "0-10", 9.0, "<b>Fast</b>\nhelp", KIM)]
    (row,) = await place.invitations()
    assert (row["score"], row["comment"], row["answered_at"]) == (9, "<b>Fast</b>\nhelp", NOW + timedelta(hours=2))
    assert await place.stands(ONE) == ("promoter", 9, 0), "at once"
    (evidence,) = [each for each in await place.rows(external_id) if each["source"] == "cshub"]
    assert (evidence["customer_id"], evidence["state"], evidence["key"]) == (ONE, "matched", ONE)
    (job,) = [each for each in place.durable.waiting if each.job == "score"]
    assert job.due_at <= place.clock() + timedelta(seconds=30), "and scored soon"


async def test_the_second_visit(place: Place, links: list[str], client: httpx.AsyncClient) -> None:
    where = form_of(links[3])
    await client.post(where, data={"what": "answer", "score": "3"})
    place.clock.move(hours=23)
    again = await client.get(links[8])
    assert "You have already answered" in again.text
    assert "Your answer is <strong>3</strong> of 10." in again.text
    assert 'value="8"' not in again.text
    other = await client.post(where, data={"what": "answer", "score": "8", "comment": "changed my mind"})
    assert "You have already answered" in other.text
    assert [each[4:6] for each in await responses(place)] == [(3.0, None)]
    added = await client.post(where, data={"what": "comment", "comment": "too slow"})
    assert (added.status_code, "Thank you" in added.text) == (200, True)
    assert [each[4:6] for each in await responses(place)] == [(3.0, "too slow")]
    place.clock.move(hours=2)
    late = await client.get(links[3])
    assert ("<form" in late.text, "too slow" in late.text) == (False, True)
    await client.post(where, data={"what": "comment", "comment": "too late"})
    assert [each[4:6] for each in await responses(place)] == [(3.0, "too slow")]
    assert (await place.invitations())[0]["comment"] == "too slow"


async def test_two_answers_at_once_are_one(place: Place, links: list[str], client: httpx.AsyncClient) -> None:
    where = form_of(links[0])
    both = await asyncio.gather(
        *(client.post(where, data={"what": "answer", "score": score, "comment": score}) for score in ("2", "10"))
    )
    assert sorted("Thank you</h1>" in each.text for each in both) == [False, True]
    (row,) = await place.invitations()
    assert await responses(place) == [("cshub", ONE, "nps", "0-10", float(row["score"]), str(row["score"]), KIM)]


@pytest.mark.parametrize("change", ["cut", "add", "swap", "other purpose", "other key"])
async def test_a_link_that_was_tampered_with(
    place: Place, links: list[str], client: httpx.AsyncClient, change: str
) -> None:
    where = form_of(links[9])
    head, _, token = where.rpartition("/")
    (row,) = await place.invitations()
    data = {"invitation": row["id"]}
    forged = {
        "cut": where[:-2],
        "add": where + "x",
        "swap": head + "/" + token.swapcase(),
        "other purpose": head + "/" + place.hub.links.sign("rate", data),
        "other key": place.url
        + path_of(type(place.hub.links)("another key"), row["id"], good_until=NOW + timedelta(9)),
    }[change]
    for answer in (
        await client.get(forged),
        await client.get(forged + "/9"),
        await client.post(forged, data={"what": "answer", "score": "9"}),
        await client.post(forged, data={"what": "comment", "comment": "x"}),
    ):
        assert answer.status_code == 404
        assert "This link does not work" in answer.text
        assert KIM not in answer.text
    assert (await place.invitations(), await responses(place)) == ([row], [])


async def test_a_link_that_expired(place: Place, links: list[str], client: httpx.AsyncClient) -> None:
    where = form_of(links[9])
    place.clock.now = NOW + timedelta(days=21) - timedelta(seconds=1)
    assert (await client.get(where)).status_code == 200
    place.clock.now = NOW + timedelta(days=21)
    for answer in (await client.get(where), await client.post(where, data={"what": "answer", "score": "9"})):
        assert (answer.status_code, "This question is closed" in answer.text) == (410, True)
    place.clock.now = NOW + timedelta(days=22)
    answer = await client.post(where, data={"what": "answer", "score": "9"})
    assert (answer.status_code, "This link was good until 2026-12-16 09:30 UTC." in answer.text) == (404, True)
    assert await responses(place) == []


async def test_what_is_no_form_of_the_page(place: Place, links: list[str], client: httpx.AsyncClient) -> None:
    where = form_of(links[9])
    for score in ("11", "-1", "9.5", "٣", "", "nine"):
        refused = await client.post(where, data={"what": "answer", "score": score})
        assert (refused.status_code, "Choose a number from 0 to 10." in refused.text) == (400, True)
    assert (await client.post(where, data={"score": "9", "comment": "x" * 50_000})).status_code == 413
    assert (await client.post(where, data={str(number): "1" for number in range(20)})).status_code == 400
    assert (await client.put(where)).status_code == 405
    assert await responses(place) == []
    async with place.store.transaction() as connection:
        await connection.execute(delete(survey_invitation))
    gone = await client.post(where, data={"score": "9"})
    assert (gone.status_code, "This question is not there any more." in gone.text) == (404, True)


async def test_a_person_who_says_the_evidence_means_another_is_heeded(
    place: Place, links: list[str], client: httpx.AsyncClient
) -> None:
    await place.customer("other")
    itself = {"id": f"cshub:{ONE}", "source": "cshub", "key": ONE, "company_key": ONE, "customer_id": "other"}
    blank = {"version": 0, "digest": 0, "learned_at": NOW, "synced_at": NOW, "state": "matched", "decided_by": "ann"}
    async with place.store.transaction() as connection:
        await connection.execute(external_id.insert(), [{**itself, **blank}])
    await client.post(form_of(links[9]), data={"score": "9", "comment": "\x00\x07ok"})
    assert [each[1:6] for each in await responses(place)] == [("other", "nps", "0-10", 9.0, "ok")]

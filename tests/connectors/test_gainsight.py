"""Gainsight against its sandbox, and its arithmetic of scorecards."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import orjson
import pytest
from sqlalchemy import select

from connectors.gainsight import scores
from connectors.gainsight.refusals import judge
from connectors.kit.base import Window
from connectors.kit.errors import ContractError, DeniedError, TransientError
from connectors.kit.reply import Reply
from connectors.kit.simulated import World
from hub.store import Store
from hub.store.tables import customer, imported_score
from tests.connectors.suite import Vendor


@pytest.mark.parametrize(
    ("score", "colour"), [(0, "Red"), (50, "Red"), (50.5, "Yellow"), (51, "Yellow"), (75, "Yellow"), (76, "Green")]
)
def test_a_colours_range_excludes_the_value_it_begins_from(score: float, colour: str) -> None:
    assert scores.colour(score) == colour


def test_a_score_beyond_its_scale_is_refused() -> None:
    with pytest.raises(ValueError, match="0 to 100, not 101"):
        scores.value(101)
    assert scores.value(76) == 0.76


@pytest.mark.parametrize(("missing", "score"), [(None, 75.714), (50, 68), (0, 53)])
def test_what_is_not_scored_counts_by_the_policy_and_shows_in_the_coverage(missing: float | None, score: float) -> None:
    found = scores.mean([(0.5, 90), (0.3, None), (0.2, 40)], missing=missing)
    assert (found.score, found.coverage) == (pytest.approx(score, abs=0.001), pytest.approx(0.7))


def test_weights_of_what_is_not_scored_stay_in_their_group() -> None:
    groups = [(0.6, [(0.5, 100.0), (0.5, None)]), (0.4, [(1.0, 0.0)])]
    assert scores.card(groups) == scores.Mean(pytest.approx(60.0), pytest.approx(0.7))
    flat = scores.mean([(0.3, 100), (0.3, None), (0.4, 0)])
    assert flat.score == pytest.approx(42.857, abs=0.001)
    assert scores.card([(1.0, [(1.0, None)])]).score is None


def busy(world: World, number: int) -> World:
    return replace(world, people=[replace(world.people[0], number=n) for n in range(1, number + 1)])


async def test_pages_overlap_and_are_asked_for_in_the_order_of_creation(probe: Callable[..., Any]) -> None:
    served = probe("gainsight")
    served.world = busy(served.world, 9)
    pulled = await served.pull("people", page_size=4)
    assert len(pulled.keys) == 9
    asked = [orjson.loads(body) for _, _, body in served.asked]
    assert [each["offset"] for each in asked] == [0, 3, 6]
    assert asked[0]["orderBy"] == {"CreatedDate": "asc", "Gsid": "asc"}
    assert "where" not in asked[0]


async def test_only_what_changed_since_is_asked_for_later(probe: Callable[..., Any]) -> None:
    served = probe("gainsight")
    first = await served.pull("scores")
    assert {(each.name, each.value, each.label) for each in first.records} == {
        ("Overall Score", 0.9, "Green"), ("Overall Score", 0.3, "Red"), ("Overall Score", 0.7, "Yellow"),
    }  # fmt: skip
    assert (await served.pull("scores", bookmark=first.bookmark)).records == []
    (condition,) = orjson.loads(served.asked[0][2])["where"]["conditions"]
    assert condition == {
        "name": "ModifiedDate", "alias": "A", "value": ["2026-11-22T11:49:00Z"], "operator": "GTE"
    }  # fmt: skip


async def test_rows_by_key_are_asked_for_in_fifties(probe: Callable[..., Any], fake_time: Any) -> None:
    served = probe("gainsight")
    served.world = busy(served.world, 120)
    source = served.source(page_size=100)
    stream = source.streams()[1]
    keys = sorted((await served.pull("people", page_size=100)).keys)
    del served.asked[:]
    async with source.client() as client:
        pages = [page async for page in stream.fetch(client, [*keys, "1P-nobody"])]
    assert [len(page.rows) for page in pages] == [50, 50, 20]
    assert pages[-1].gone == ["1P-nobody"]
    assert len(served.asked) == 3


async def test_statuses_say_who_is_a_customer(probe: Callable[..., Any]) -> None:
    served = probe("gainsight")
    assert [each.name for each in (await served.pull("companies", statuses=["Churned"])).records] == ["Borealis"]
    assert len((await served.pull("companies")).records) == 3


async def test_an_object_the_key_may_not_read_and_one_there_is_not_are_told(probe: Callable[..., Any]) -> None:
    served = probe("gainsight", without=("Company_Scorecard_History",))
    with pytest.raises(DeniedError, match="You don't have access to the object"):
        await served.pull("scores")
    with pytest.raises(ContractError, match="answered 400: Invalid object name Weekly"):
        await served.pull("scores", score_object="Weekly")


def test_a_minute_is_waited_for_where_a_429_does_not_say_how_long(fake_time: Any) -> None:
    now = fake_time.clock()
    found = judge(Reply(429, {}, b"{}", "POST acme/x"), now)
    assert isinstance(found, TransientError)
    assert found.retry_after == 60


async def test_an_answer_that_says_no_with_status_200_is_no_empty_list(probe: Callable[..., Any]) -> None:
    served = probe("gainsight")
    source = served.source()

    class Refusing:
        async def post_json(self, path: str, *, json: Any) -> Any:
            return {"result": False, "errorDesc": "Invalid fields [Domain__gc]", "data": None}

    window = Window(bookmark=None, started_at=served.world.until)
    with pytest.raises(ContractError, match="Invalid fields"):
        [page async for page in source.streams()[0].pull(Refusing(), window)]


async def test_scores_land_with_the_customers_their_companies_become(
    serve: Any, sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    vendor = Vendor("gainsight", serve, monkeypatch)
    await vendor.calm_sync(sqlite_store, after="a first sync")
    score, known = imported_score.c, customer.c
    async with sqlite_store.reading() as connection:
        statement = select(score.key, known.name).join_from(imported_score, customer, known.id == score.customer_id)
        found = {row.key: row.name for row in await connection.execute(statement)}
    assert found == {f"1S{each.number:0>18}": f"Acme {each.account}" for each in vendor.world.nps}

"""ChurnZero against its sandbox, and its arithmetic of scores."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from connectors.churnzero import sandbox, scores
from connectors.churnzero.connector import Settings
from connectors.churnzero.refusals import judge
from connectors.churnzero.scores import Factor, Tier
from connectors.kit.errors import DeniedError, TransientError
from connectors.kit.reply import Reply
from hub.model.records import ImportedScore

LOGINS = (Tier(low=20, percent=100), Tier(low=5, high=20, percent=50), Tier(high=5, percent=10))


@pytest.mark.parametrize(("logins", "points"), [(21, 60), (20, 60), (19.9, 30), (5, 30), (4.9, 6), (None, 0)])
def test_where_two_tiers_touch_the_upper_one_has_the_value(logins: float | None, points: float) -> None:
    assert Factor(points=60, tiers=LOGINS, value=logins).scored == points


def test_the_upper_bound_belongs_to_a_tier_and_beyond_all_there_are_no_points() -> None:
    tiers = (Tier(low=0, high=10, percent=100),)
    found = [Factor(points=40, tiers=tiers, value=each).scored for each in (10, 10.1, 0, -1)]
    assert found == [40, 0, 40, 0]


def test_points_are_100_together() -> None:
    nps = Factor(points=40, tiers=(Tier(low=9, percent=100), Tier(high=9, percent=25)), value=3)
    assert scores.score([Factor(points=60, tiers=LOGINS, value=7), nps]) == 40
    with pytest.raises(ValueError, match="100 points together, not 40"):
        scores.score([nps])


def test_which_end_is_good_has_to_be_said() -> None:
    assert (scores.value(80, better="higher"), scores.value(80, better="lower")) == (0.8, pytest.approx(0.2))
    with pytest.raises(ValidationError, match="better"):
        Settings.model_validate({"base_url": "https://acme.example", "user": "ada", "api_key": "k"})


async def test_scores_of_risk_are_turned_round_and_kept_as_they_were(probe: Callable[..., Any]) -> None:
    served = probe("churnzero")
    found = {each.key: each for each in (await served.pull("scores", better="lower")).records}
    first = found["300001"]
    assert isinstance(first, ImportedScore)
    assert (first.name, first.raw_value, first.scale) == ("Health of the big ones", 90.0, "0-100")
    assert first.value == pytest.approx(0.1)
    assert found["300002"].name == "Health"


async def test_pages_are_as_long_as_the_server_likes_and_links_are_not_followed(probe: Callable[..., Any]) -> None:
    served = probe("churnzero", page_size=4)
    served.world = replace(served.world, people=[replace(served.world.people[0], number=n) for n in range(1, 11)])
    served.faults.foreign_next = 3
    assert len((await served.pull("contacts")).keys) == 10
    assert [query.get("$skip") for _, query, _ in served.asked] == [None, ["3"], ["6"]]
    assert all("$top" not in query for _, query, _ in served.asked)


async def test_a_row_that_goes_while_pages_are_read_takes_no_other_with_it(probe: Callable[..., Any]) -> None:
    served = probe("churnzero", page_size=3)
    people = [replace(served.world.people[0], number=n) for n in range(1, 9)]
    served.world = replace(served.world, people=people)
    pull = served.source().streams()[1].pull
    asked = served.asked

    class Going(list):  # type: ignore[type-arg]  # of whatever Probe notes
        def append(self, each: Any) -> None:
            super().append(each)
            if len(self) == 2:
                served.world = replace(served.world, people=people[1:])

    served.asked = Going(asked)
    assert pull is not None
    assert (await served.pull("contacts")).keys == {str(200_000 + n) for n in range(1, 9)}
    assert [query.get("$skip") for _, query, _ in served.asked][:3] == [None, ["2"], None]


async def test_later_the_last_days_of_scores_are_asked_for_again(probe: Callable[..., Any]) -> None:
    served = probe("churnzero")
    first = await served.pull("scores")
    again = await served.pull("scores", bookmark=first.bookmark, recalculated_days=3)
    assert served.asked[0][1]["$filter"] == ["CalculationDay ge 2026-11-19"]
    assert {each.key for each in again.records} == {"300003"}


async def test_a_history_is_pulled_by_spans_of_days_each_with_its_bookmark(probe: Callable[..., Any]) -> None:
    served = probe("churnzero")
    pulled = await served.pull("scores", days_at_once=10)
    filters = [query["$filter"][0] for _, query, _ in served.asked if "$filter" in query]
    assert filters == [
        "CalculationDay ge 2026-11-02 and CalculationDay lt 2026-11-12",
        "CalculationDay ge 2026-11-12 and CalculationDay lt 2026-11-22",
        "CalculationDay ge 2026-11-22",
    ]
    days = [datetime.fromtimestamp(page.bookmark["since"] / 1000, UTC) for page in pulled.pages if page.bookmark]
    assert [f"{each:%m-%d %H:%M}" for each in days] == ["11-12 00:00", "11-22 00:00", "11-22 11:59"]
    assert len(pulled.keys) == 3


async def test_rows_that_no_span_has_are_told(probe: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    made = sandbox._calculation
    undated = {"CalculationDay": None}
    monkeypatch.setattr(sandbox, "_calculation", lambda each: made(each) | (undated if each.number == 2 else {}))
    with pytest.raises(TransientError, match="1 rows of 3 have no CalculationDay"):
        await probe("churnzero").pull("scores")


async def test_the_missing_permission_is_named(probe: Callable[..., Any], fake_time: Any) -> None:
    served = probe("churnzero", without=("ChurnScoreCalculation",))
    with pytest.raises(DeniedError, match="Bulk Read: Churn Scores"):
        await served.pull("scores")
    found = judge(Reply(429, {}, b"{}", "GET acme/x"), fake_time.clock())
    assert isinstance(found, TransientError)
    assert found.retry_after == 60

"""Catalyst against its sandbox, and its arithmetic of health."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from connectors.catalyst import scores
from connectors.catalyst.connector import judge
from connectors.catalyst.scores import Bounds
from connectors.kit.errors import ContractError, TransientError
from connectors.kit.reply import Reply


def test_steps_between_the_bounds() -> None:
    assert [round(step, 1) for step in Bounds(5, 25).steps] == [1.7, 5.0, 8.3]


@pytest.mark.parametrize(
    ("number", "score"),
    [(-1, 1), (0, 1), (1.6, 1), (1.7, 2), (3.4, 3), (5, 3), (5.1, 4), (10, 5), (15, 6), (24.9, 7), (25, 8), (33.4, 9),
     (41.7, 10), (500, 10)],
)  # fmt: skip
def test_a_number_has_its_place_between_1_and_10(number: float, score: int) -> None:
    assert Bounds(5, 25).score(number) == score


def test_what_is_missing_is_neutral_unless_it_is_skipped() -> None:
    parts = [(0.5, 9.0), (0.3, None), (0.2, 4.0)]
    assert scores.health(parts) == pytest.approx(6.8)
    assert scores.health(parts, skip_missing=True) == pytest.approx(7.571, abs=0.001)
    assert scores.health([(1.0, None), (2.0, None)]) is None


def test_words_and_numbers_as_0_to_1() -> None:
    assert [scores.value(scores.LABELS[word]) for word in ("at-risk", "neutral", "healthy")] == [
        0,
        pytest.approx(4 / 9),
        1,
    ]
    with pytest.raises(ValueError, match="1 to 10, not 0"):
        scores.value(0)
    with pytest.raises(ValueError, match="lies above 0 and below"):
        Bounds(25, 5)


async def test_pages_overlap_and_later_ones_ask_for_less(probe: Callable[..., Any]) -> None:
    served = probe("catalyst")
    answers = [replace(served.world.nps[0], number=n) for n in range(1, 11)]
    served.world = replace(served.world, nps=answers)
    first = await served.pull("scores", page_size=4)
    assert len(first.keys) == 10
    assert [query.get("offset") for _, query, _ in served.asked] == [None, ["3"], ["6"], ["9"]]
    assert (await served.pull("scores", bookmark=first.bookmark)).records == []
    assert served.asked[0][1]["score_updated_at_gte"] == ["2026-11-22T11:49:00Z"]


async def test_types_say_who_is_a_customer(probe: Callable[..., Any]) -> None:
    served = probe("catalyst")
    found = (await served.pull("accounts", types=["Customer"])).records
    assert [(each.name, each.domains, each.csm_email) for each in found] == [
        ("Acme GmbH", ("acme.example",), "ada@ourco.example"),
        ("Acme Cloud", ("cloud.acme.example",), "ada@ourco.example"),
    ]


async def test_a_listing_that_never_stands_still_is_told(probe: Callable[..., Any]) -> None:
    served = probe("catalyst")
    served.world = replace(served.world, nps=[replace(served.world.nps[0], number=n) for n in range(1, 11)])
    served.faults.duplicate_rows = 100
    with pytest.raises(TransientError, match="Catalyst /health: rows moved while the pages were read, 5 times"):
        await served.pull("scores", page_size=4)


async def test_an_address_without_the_api_is_told(probe: Callable[..., Any], fake_time: Any) -> None:
    served = probe("catalyst")
    with pytest.raises(ContractError, match="404"):
        await served.pull("accounts", base_url=served.url)
    found = judge(Reply(429, {}, b"{}", "GET acme/x"), fake_time.clock())
    assert isinstance(found, TransientError)
    assert found.retry_after == 60

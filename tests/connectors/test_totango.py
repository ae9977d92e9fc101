"""Totango against its sandbox: the ceiling of its search, and its arithmetic of health."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from connectors.kit.errors import ContractError, TransientError
from connectors.totango import scores
from connectors.totango.scores import Rank
from hub.model.records import ImportedScore


@pytest.mark.parametrize(
    ("ranks", "health"),
    [
        (["good", "good", "poor"], "poor"),
        (["good", None, "good"], "good"),
        (["good", "average"], "average"),
        (["average"], "average"),
        ([None], None),
    ],
)
def test_any_poor_makes_an_account_poor_and_only_good_makes_it_good(
    ranks: list[Rank | None], health: Rank | None
) -> None:
    assert scores.account_health(ranks) == health


def test_dimensions_are_rounded_and_what_has_no_value_is_left_out() -> None:
    assert scores.dimension([(1, "good"), (1, "average"), (1, "poor")]) == 53
    assert scores.dimension([(1, "good"), (1, "average"), (1, None)]) == 80
    assert scores.dimension([(1, "good"), (7, "poor")]) == 13  # 12.5
    assert scores.dimension([(1, None)]) is None
    assert scores.multidimensional([(0.5, 53), (0.5, 80), (2, None)]) == 66.5


def test_the_quality_of_a_portfolio_counts_40_for_poor() -> None:
    assert scores.quality(good=5, average=3, poor=2) == 76
    assert scores.quality(good=0, average=0, poor=0) is None
    assert [scores.value(scores.RANKS[word]) for word in ("green", "yellow", "red")] == [1, 0.6, 0]


def many(world: Any, number: int) -> Any:
    """Accounts 1 to `number`, each with as many employees."""
    first = world.accounts[0]
    return replace(
        world, accounts=[replace(first, number=n, name=f"Acme {n:03}", employees=n) for n in range(1, number + 1)]
    )


async def test_health_is_from_when_it_changed(probe: Callable[..., Any]) -> None:
    found = (await probe("totango").pull("scores")).records
    assert isinstance(found[0], ImportedScore)
    assert [(each.company_key, each.label, each.value, f"{each.scored_at:%Y-%m-%d}") for each in found] == [
        ("acct-2", "green", 1.0, "2025-03-03"),
        ("acct-1", "yellow", 0.6, "2025-01-31"),
        ("acct-3", "red", 0.0, "2025-03-31"),
    ]
    assert {each.scale for each in found} == {"labels"}


async def test_a_search_that_shows_less_than_there_is_fails(probe: Callable[..., Any]) -> None:
    served = probe("totango", ceiling=6)
    served.world = many(served.world, 20)
    with pytest.raises(ContractError, match=r"has 20 accounts, and a search shows 6; .*the setting part_by"):
        await served.pull("accounts", ceiling=6)


async def test_it_is_parted_until_each_part_shows_all_it_has(probe: Callable[..., Any]) -> None:
    served = probe("totango", ceiling=6)
    served.world = many(served.world, 20)
    pulled = await served.pull("accounts", ceiling=6, page_size=4, part_by="Employees", part_to=64)
    assert pulled.keys == {f"acct-{n}" for n in range(1, 21)}


async def test_parts_that_do_not_add_up_are_told_and_nothing_is_handed_on(probe: Callable[..., Any]) -> None:
    served = probe("totango", ceiling=6)
    served.world = many(served.world, 20)
    with pytest.raises(ContractError, match="2 accounts without Employees from 0 to 19; they would be left out"):
        await served.pull("accounts", ceiling=6, part_by="Employees", part_to=19)
    same = [replace(each, employees=7) for each in served.world.accounts]
    served.world = replace(served.world, accounts=same)
    with pytest.raises(ContractError, match="20 accounts with Employees 7, and a search shows 6"):
        await served.pull("accounts", ceiling=6, part_by="Employees", part_to=64)


async def test_a_vendor_whose_ceiling_is_lower_than_we_think_is_found_out(probe: Callable[..., Any]) -> None:
    served = probe("totango", ceiling=6)
    served.world = many(served.world, 20)
    with pytest.raises(TransientError, match="rows moved while the pages were read"):
        await served.pull("accounts", page_size=4)


async def test_one_user_at_two_accounts_is_two_contacts(probe: Callable[..., Any]) -> None:
    served = probe("totango")
    person = served.world.people[0]
    served.world = replace(served.world, people=[person, replace(person, number=9, account=2)])
    found = (await served.pull("users")).records
    assert {(each.company_key, each.email) for each in found} == {
        ("acct-1", "nia@acme.example"), ("acct-2", "nia@acme.example"),
    }  # fmt: skip


async def test_only_the_status_groups_that_are_named_are_customers(probe: Callable[..., Any]) -> None:
    pulled = await probe("totango").pull("accounts", status_groups=["cancelled"])
    assert [each.name for each in pulled.records] == ["Borealis"]

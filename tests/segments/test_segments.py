"""Saved segments: what they choose, what is refused, and that a condition speaks of them without going in circles."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from hub.errors import NotFoundError, RefusedError
from hub.model.conditions import All, ConditionError, Not, parse, segments_of
from hub.segments import (
    VOCABULARY,
    Editor,
    SavedSegment,
    Wanted,
    change_segment,
    count_in,
    create_segment,
    get_segment,
    list_segments,
    problems_of,
    remove_segment,
    settle,
)
from hub.store import Store, tables
from tests.schema.company import customer_row, insert, scorecard_row

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
TODAY = NOW.date()
ANN, BOB, BOSS = Editor(name="ann"), Editor(name="bob"), Editor(name="boss", steward=True)
NO_USES: dict[str, frozenset[str]] = {}


async def save(
    store: Store, editor: Editor, name: str, filter_: dict[str, Any], *, shared: bool = True
) -> SavedSegment:
    return await create_segment(store, editor, Wanted(name=name, filter=filter_, shared=shared), now=NOW)


async def said(store: Store, value: dict[str, Any], owner: str | None) -> Any:
    async with store.reading() as connection:
        return await settle(connection, parse(value, VOCABULARY), today=TODAY, owner=owner)


async def test_a_condition_with_segments_says_what_they_say(store: Store) -> None:
    await save(store, ANN, "low", {"health": {"lt": 0.5}})
    await save(store, ANN, "low-here", {"in_segment": "low", "country": {"eq": "DE"}})
    found = await said(store, {"not": {"in_segment": "low-here"}}, None)
    low, here = parse({"health": {"lt": 0.5}}, VOCABULARY), parse({"country": {"eq": "DE"}}, VOCABULARY)
    assert found == Not(All((low, here)))


async def test_days_of_a_segment_count_from_the_day_it_is_asked_on(store: Store) -> None:
    await save(store, ANN, "new", {"created_at": {"within": "last 30 days"}})
    assert await said(store, {"in_segment": "new"}, None) == parse(
        {"created_at": {"between": [date(2026, 10, 3), date(2026, 11, 1)]}}, VOCABULARY
    )


async def test_own_segments_come_before_shared_ones_and_shared_ones_speak_of_shared_ones(store: Store) -> None:
    await save(store, BOB, "low", {"health": {"lt": 0.5}})
    await save(store, BOB, "both", {"in_segment": "low"})
    await save(store, ANN, "low", {"health": {"lt": 0.1}}, shared=False)
    shared, own = parse({"health": {"lt": 0.5}}, VOCABULARY), parse({"health": {"lt": 0.1}}, VOCABULARY)
    assert await said(store, {"in_segment": "low"}, "ann") == own
    assert await said(store, {"in_segment": "shared/low"}, "ann") == shared
    assert await said(store, {"in_segment": "both"}, "ann") == shared
    assert await said(store, {"in_segment": "low"}, "bob") == shared
    assert await said(store, {"in_segment": "low"}, None) == shared


async def test_what_is_private_is_there_for_its_owner_alone(store: Store) -> None:
    made = await save(store, ANN, "mine", {"health": {"lt": 0.5}}, shared=False)
    with pytest.raises(RefusedError, match="there is no saved segment 'mine'"):
        await said(store, {"in_segment": "mine"}, "bob")
    for other in (BOB, BOSS):
        assert await list_segments(store, other) == []
        with pytest.raises(NotFoundError, match=r"there is no saved segment .*; there are: none"):
            await get_segment(store, other, made.id)
        with pytest.raises(NotFoundError):
            await remove_segment(store, other, made.id, uses=NO_USES)
    await save(store, BOB, "mine", {"health": {"lt": 0.2}}, shared=False)
    assert [each.name for each in await list_segments(store, ANN)] == ["mine"]


async def test_a_shared_segment_cannot_use_a_private_one(store: Store) -> None:
    await save(store, ANN, "mine", {"health": {"lt": 0.5}}, shared=False)
    with pytest.raises(RefusedError, match="mine: nobody else sees it"):
        await save(store, ANN, "all", {"in_segment": "mine"})
    assert [each.name for each in await list_segments(store, ANN)] == ["mine"]


async def test_a_circle_is_refused_when_it_would_be_closed(store: Store) -> None:
    first = await save(store, ANN, "first", {"health": {"lt": 0.5}})
    await save(store, ANN, "second", {"not": {"in_segment": "first"}})
    for name in ("first", "second"):
        with pytest.raises(RefusedError, match="the segment holds itself: "):
            await change_segment(store, ANN, "first", Wanted(filter={"in_segment": name}), uses=NO_USES, now=NOW)
    with pytest.raises(RefusedError, match="the segment holds itself: third > "):
        await save(store, ANN, "third", {"in_segment": "third"})
    assert (await get_segment(store, ANN, "first")).filter == first.filter


async def test_segments_of_segments_grow_no_larger_than_the_limit(store: Store) -> None:
    await save(store, ANN, "s0", {"any": [{"mrr": {"gt": number}} for number in range(40)]})
    for number in range(1, 5):
        filter_ = {"any": [{"in_segment": f"s{number - 1}"}] * 3}
        if number < 4:
            await save(store, ANN, f"s{number}", filter_)
        else:
            with pytest.raises(RefusedError, match="more than 2,000 tests and values"):
                await save(store, ANN, f"s{number}", filter_)


async def test_only_owners_and_stewards_change_a_shared_one(store: Store) -> None:
    await save(store, ANN, "low", {"health": {"lt": 0.5}})
    with pytest.raises(RefusedError, match="low is ann's"):
        await change_segment(store, BOB, "low", Wanted(description="x"), uses=NO_USES, now=NOW)
    with pytest.raises(RefusedError, match="low is ann's"):
        await remove_segment(store, BOB, "low", uses=NO_USES)
    made = await change_segment(store, BOSS, "low", Wanted(description=" weekly "), uses=NO_USES, now=NOW)
    assert (made.description, made.owner, made.updated_by, made.name) == ("weekly", "ann", "boss", "low")
    made = await change_segment(store, ANN, made.id, Wanted(description=""), uses=NO_USES, now=NOW)
    assert made.description is None
    await remove_segment(store, BOSS, made.id, uses=NO_USES)
    assert await list_segments(store, ANN) == []


@pytest.mark.parametrize(
    "wanted", [None, Wanted(name="other"), Wanted(shared=False)], ids=["delete", "rename", "make private"]
)
async def test_what_is_used_stays(store: Store, wanted: Wanted | None) -> None:
    await save(store, ANN, "low", {"health": {"lt": 0.5}})
    await save(store, ANN, "worse", {"in_segment": "low", "mrr": {"gt": 5}})
    await save(store, BOB, "mine", {"in_segment": "low"}, shared=False)
    uses = {"save_them": frozenset({"low"}), "other": frozenset({"worse"})}
    asked = (
        remove_segment(store, ANN, "low", uses=uses)
        if wanted is None
        else change_segment(store, ANN, "low", wanted, uses=uses, now=NOW)
    )
    with pytest.raises(
        RefusedError, match=r"used by playbook save_them, segment worse, a private segment of somebody else$"
    ):
        await asked
    kept = await get_segment(store, ANN, "low")
    assert (kept.name, kept.shared) == ("low", True)
    await change_segment(store, ANN, "low", Wanted(filter={"health": {"lt": 0.4}}), uses=uses, now=NOW)


async def test_names_are_one_among_the_shared_and_one_among_ones_own(store: Store) -> None:
    await save(store, ANN, "low", {"health": {"lt": 0.5}})
    with pytest.raises(RefusedError, match="there is a shared segment 'low' already"):
        await save(store, BOB, "low", {"health": {"lt": 0.4}})
    await save(store, BOB, "low", {"health": {"lt": 0.4}}, shared=False)
    with pytest.raises(RefusedError, match="there is a segment 'low' already"):
        await save(store, BOB, "low", {"health": {"lt": 0.3}}, shared=False)
    with pytest.raises(RefusedError, match="there is a shared segment 'low' already"):
        await change_segment(store, BOB, "low", Wanted(shared=True), uses=NO_USES, now=NOW)
    for bad in ("", "Low", "a b", "-a", "x" * 61, "shared/low"):
        with pytest.raises(RefusedError, match="must be small letters"):
            await save(store, BOB, bad, {"health": {"lt": 0.4}})


async def test_what_is_no_condition_is_not_saved(store: Store) -> None:
    with pytest.raises(ConditionError, match="helth: is no fact"):
        await save(store, ANN, "low", {"helth": {"lt": 0.5}})
    with pytest.raises(RefusedError, match="there is no saved segment 'gone'"):
        await save(store, ANN, "low", {"in_segment": "gone"})
    assert await list_segments(store, ANN) == []


async def test_a_fact_that_is_no_more_is_told_and_counts_nobody(store: Store) -> None:
    await save(store, ANN, "low", {"health": {"lt": 0.5}})
    await save(store, ANN, "on-top", {"in_segment": "low"})
    async with store.transaction() as connection:
        row = tables.saved_segment
        await connection.execute(row.update().where(row.c.name == "low").values(filter={"old_fact": {"lt": 1}}))
    found = await list_segments(store, ANN)
    assert [problems_of(each, found)[0] for each in found] == ["in_segment.low.old_fact: is no fact"] * 2
    assert await count_in(store, ANN, found, book=None, today=TODAY) == {each.id: None for each in found}
    with pytest.raises(RefusedError, match=r"in_segment\.low\.old_fact: is no fact"):
        await said(store, {"in_segment": "on-top"}, None)


async def test_members_are_counted_in_the_book(store: Store) -> None:
    await insert(
        store,
        tables.customer,
        [
            customer_row(1),
            customer_row(2, csm_email="bob@cs.example"),
            customer_row(3),
            customer_row(4, merged_into_id="c001"),
        ],
    )
    await insert(store, tables.scorecard, [scorecard_row(f"c00{n}", TODAY, health=n / 10) for n in (1, 2, 4)])
    low = await save(store, ANN, "low", {"health": {"lt": 0.5}})
    rest = await save(store, ANN, "rest", {"not": {"in_segment": "low"}})
    both = [low, rest]
    assert await count_in(store, ANN, both, book=None, today=TODAY) == {low.id: 2, rest.id: 1}
    assert await count_in(store, ANN, both, book="ann@cs.example", today=TODAY) == {low.id: 1, rest.id: 1}
    assert await count_in(store, ANN, both, book="eve@cs.example", today=TODAY) == {low.id: 0, rest.id: 0}


def test_the_segments_of_a_condition_are_found_wherever_they_stand() -> None:
    value = {"any": [{"in_segment": "a"}, {"not": {"all": [{"in_segment": "b"}, {"mrr": {"gt": 1}}]}}]}
    assert segments_of(parse(value, VOCABULARY)) == {"a", "b"}

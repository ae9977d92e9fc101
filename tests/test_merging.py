"""Two customers become one and two again: everything moves, syncs leave it, and undone the store is as it was before."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from hub.errors import NotFoundError, RefusedError
from hub.identity import customer_id_for, decide_by_hand, merge, reopen, undo_merge
from hub.store import Store, tables
from tests.schema.company import insert, scorecard_row
from tests.test_identity import RULES, company, make_ticket, put

NOW = datetime(2026, 11, 1, tzinfo=UTC)
LATER = NOW + timedelta(days=1)
ACME, BOLT, CORE = (customer_id_for("crm", key) for key in "123")
LOOKED_AT = ("customer", "external_id", "ticket", "note", "alert", "scorecard", "csm_assignment", "lifecycle")


async def snapshot(store: Store, *, without: tuple[str, ...] = ("updated_at",)) -> dict[str, list[dict[str, Any]]]:
    found = {}
    async with store.reading() as connection:
        for name in LOOKED_AT:
            table = tables.metadata.tables[name]
            key = next(iter(table.primary_key.columns))
            rows = (await connection.execute(select(table).order_by(key))).mappings()
            found[name] = [{key: value for key, value in row.items() if key not in without} for row in rows]
    return found


async def three(store: Store) -> None:
    """Acme, Bolt (below Acme) and Core with a ticket each, a note, an open and a closed call, and a scorecard."""
    made = [
        company(key, name=name, domains=(f"{name.lower()}.example",), parent_key=parent, csm_email=f"{key}@cs.example")
        for key, name, parent in (("1", "Acme", None), ("2", "Bolt", "1"), ("3", "Core", "2"))
    ]
    await put(store, "crm", *made)
    await put(store, "desk", *(company(f"o{key}", external_key=key, domains=()) for key in "123"))
    await put(store, "desk", *(make_ticket(f"t{key}", f"o{key}") for key in "123"))
    ids = (ACME, BOLT, CORE)
    await insert(store, tables.note, [{"id": f"n{id_}", "customer_id": id_, "body": "x", "by": "ann"} for id_ in ids])
    calls = [
        {"id": f"{state}{id_}"[:60], "customer_id": id_, "state": state} for id_ in ids for state in ("open", "closed")
    ]
    plain = {"kind": "task", "title": "t", "severity": "high"}
    await insert(store, tables.alert, [{**plain, **each, "dedup_key": each["id"]} for each in calls])
    await insert(store, tables.scorecard, [scorecard_row(id_, NOW.date()) for id_ in ids])


async def owners(store: Store, table: Any) -> dict[str, str | None]:
    async with store.reading() as connection:
        return {row.id: row.customer_id for row in await connection.execute(select(table.c.id, table.c.customer_id))}


async def test_a_merge_survives_syncs_and_undone_the_store_is_as_before(store: Store) -> None:
    await three(store)
    before = await snapshot(store)
    made = await merge(store, ACME, BOLT, reason="same company", by="ann", now=LATER)
    assert (made.evidence, made.notes, made.alerts, made.records) == (2, 1, 1, {"ticket": 1})
    assert await owners(store, tables.ticket) == {"desk:t1": ACME, "desk:t2": ACME, "desk:t3": CORE}
    assert set((await owners(store, tables.note)).values()) == {ACME, CORE}
    assert {key: id_ for key, id_ in (await owners(store, tables.alert)).items() if BOLT in key} == {
        f"open{BOLT}": ACME,
        f"closed{BOLT}": BOLT,
    }
    for key, name, parent in (("1", "Acme", None), ("2", "Bolt", "1"), ("3", "Core", "2")):  # everything comes again
        again = company(
            key,
            version=2,
            name=name,
            domains=(f"{name.lower()}.example",),
            parent_key=parent,
            csm_email=f"{key}@cs.example",
        )
        await put(store, "crm", again, now=LATER)
    await put(store, "desk", make_ticket("t2", "o2", version=2), now=LATER)
    rows = {row["id"]: row for row in (await snapshot(store))["customer"]}
    assert (rows[ACME]["name"], rows[ACME]["csm_email"], rows[ACME]["parent_id"]) == ("Acme", "1@cs.example", None)
    assert (rows[BOLT]["merged_into_id"], rows[CORE]["parent_id"]) == (ACME, ACME)
    assert (await owners(store, tables.ticket))["desk:t2"] == ACME

    assert made.merge_id is not None
    undone = await undo_merge(store, made.merge_id, RULES, by="bob", now=LATER)
    assert (undone.evidence, undone.records) == (2, {"ticket": 1})
    stamps = ("updated_at", "version", "digest", "synced_at")
    after = await snapshot(store, without=stamps)
    for name, were in before.items():
        assert after[name] == [{key: row[key] for key in row if key not in stamps} for row in were], name


async def test_what_came_in_while_they_were_one_goes_by_the_rules_when_they_are_two(store: Store) -> None:
    await three(store)
    made = await merge(store, ACME, BOLT, reason="same", by="ann", now=LATER)
    await put(store, "desk", company("new", domains=("bolt.example",)), make_ticket("late", "new"), now=LATER)
    assert (await owners(store, tables.ticket))["desk:late"] == ACME
    await undo_merge(store, str(made.merge_id), RULES, by="bob", now=LATER + timedelta(hours=1))
    found = await owners(store, tables.ticket)
    assert (found["desk:late"], found["desk:t1"], found["desk:t2"]) == (BOLT, ACME, BOLT)


async def test_a_chain_is_undone_from_its_end(store: Store) -> None:
    await three(store)
    before = await snapshot(store)
    first = await merge(store, BOLT, CORE, reason="same", by="ann", now=NOW)
    between = await snapshot(store)
    second = await merge(store, ACME, BOLT, reason="same", by="ann", now=NOW)
    rows = {row["id"]: row["merged_into_id"] for row in (await snapshot(store))["customer"]}
    assert rows == {ACME: None, BOLT: ACME, CORE: ACME}
    assert set((await owners(store, tables.ticket)).values()) == {ACME}
    with pytest.raises(RefusedError, match="undo that merge first"):
        await undo_merge(store, str(first.merge_id), RULES, by="bob", now=NOW)
    await undo_merge(store, str(second.merge_id), RULES, by="bob", now=NOW)
    assert await snapshot(store) == between
    await undo_merge(store, str(first.merge_id), RULES, by="bob", now=NOW)
    assert await snapshot(store) == before
    with pytest.raises(RefusedError, match="was undone at"):
        await undo_merge(store, str(first.merge_id), RULES, by="bob", now=NOW)


async def test_a_dry_run_says_the_same_and_changes_nothing(store: Store) -> None:
    await three(store)
    before = await snapshot(store, without=())
    dry = await merge(store, ACME, BOLT, reason="same", by="ann", now=LATER, dry_run=True)
    assert (dry.merge_id, dry.evidence, dry.records) == (None, 2, {"ticket": 1})
    assert await snapshot(store, without=()) == before
    made = await merge(store, ACME, BOLT, reason="same", by="ann", now=LATER)
    merged = await snapshot(store, without=())
    dry = await undo_merge(store, str(made.merge_id), RULES, by="bob", now=LATER, dry_run=True)
    assert (dry.merge_id, dry.records) == (None, {"ticket": 1})
    assert await snapshot(store, without=()) == merged


async def test_what_is_no_merge_is_refused(store: Store) -> None:
    await three(store)
    await merge(store, ACME, BOLT, reason="same", by="ann", now=NOW)
    before = await snapshot(store, without=())
    for keep, gone, reason, error, words in (
        (ACME, ACME, "x", RefusedError, "itself"),
        (ACME, BOLT, "x", RefusedError, "is part of"),
        (BOLT, CORE, "x", RefusedError, "is part of"),
        (ACME, "cus_nope", "x", NotFoundError, "no customer 'cus_nope'"),
        (ACME, CORE, "  ", RefusedError, "needs a reason"),
    ):
        with pytest.raises(error, match=words):
            await merge(store, keep, gone, reason=reason, by="ann", now=NOW)
    with pytest.raises(NotFoundError):
        await undo_merge(store, "mrg_nope", RULES, by="bob", now=NOW)
    assert await snapshot(store, without=()) == before


async def test_runs_of_the_merged_one_are_cancelled(store: Store) -> None:
    await three(store)
    run = {"playbook": "save", "playbook_version": 1, "definition": {}, "cause": "hand", "facts": {}, "episode": "1"}
    states = {"r1": (BOLT, "running"), "r2": (BOLT, "done"), "r3": (ACME, "running")}
    rows = [
        {**run, "id": id_, "customer_id": who, "state": state, "episode": id_} for id_, (who, state) in states.items()
    ]
    await insert(store, tables.playbook_run, rows)
    sent = {"channel": "slack", "address": "#a", "payload": {}, "attempts": 0}
    messages = [("d1", "r1", BOLT, "reserved"), ("d2", "r1", BOLT, "sent"), ("d3", "r3", ACME, "reserved")]
    await insert(
        store,
        tables.delivery,
        [{**sent, "id": id_, "dedup_key": id_, "run_id": of, "customer_id": who, "state": state}
         for id_, of, who, state in messages],
    )  # fmt: skip
    made = await merge(store, ACME, BOLT, reason="same", by="ann", now=LATER)
    assert made.runs == 1
    async with store.reading() as connection:
        runs = await connection.execute(select(tables.playbook_run.c.id, tables.playbook_run.c.state))
        assert dict(list(map(tuple, runs))) == {"r1": "cancelled", "r2": "done", "r3": "running"}
        sent_ = await connection.execute(select(tables.delivery.c.id, tables.delivery.c.state))
        assert dict(list(map(tuple, sent_))) == {"d1": "suppressed", "d2": "sent", "d3": "reserved"}


async def test_evidence_becomes_a_new_customer_is_opened_again_and_never_leaves_one_empty(store: Store) -> None:
    await put(store, "crm", company("1"), company("2"))
    await put(store, "desk", company("o9"), make_ticket("t", "o9"))
    assert await decide_by_hand(store, "desk:o9", None, by="kim", now=NOW, new=True) == 1
    new = customer_id_for("desk", "o9")
    assert await owners(store, tables.ticket) == {"desk:t": new}
    for act in (
        decide_by_hand(store, "desk:o9", ACME, by="kim", now=NOW),
        decide_by_hand(store, "crm:1", None, by="kim", now=NOW),
        reopen(store, RULES, "crm:1", now=NOW),
    ):
        with pytest.raises(RefusedError, match="merge that customer"):
            await act
    await put(store, "desk", company("o8", external_key="1", domains=()), make_ticket("u", "o8"))
    assert (await owners(store, tables.ticket))["desk:u"] == ACME
    await decide_by_hand(store, "desk:o8", BOLT, by="kim", now=NOW)
    assert (await owners(store, tables.ticket))["desk:u"] == BOLT
    again = await reopen(store, RULES, "desk:o8", now=NOW)
    assert (again.state, again.method, again.decided_by, again.customer_id) == ("matched", "external", None, ACME)
    assert (await owners(store, tables.ticket))["desk:u"] == ACME

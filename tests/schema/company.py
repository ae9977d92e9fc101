"""Customers that have a few of everything, as rows of the store."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from hub.store import Store, tables
from hub.store.tables.base import UtcDateTime

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
TODAY = NOW.date()
_OF_SOURCES = (tables.bookmark, tables.stream_state, tables.source_event, tables.sync_run, tables.quarantine)
_PLAIN = {bool: False, int: 0, float: 0.0, date: TODAY}


def record(source: str, key: str, customer: str | None, **columns: Any) -> dict[str, Any]:
    return {
        "id": f"{source}:{key}",
        "source": source,
        "key": key,
        "company_key": customer,
        "customer_id": customer,
        "version": 1,
        "digest": 1,
        "deleted": False,
        "learned_at": NOW,
        "synced_at": NOW,
        **columns,
    }


def customer_row(number: int, **columns: Any) -> dict[str, Any]:
    return {
        "id": f"c{number:03}",
        "name": f"Customer {number:03}",
        "domain": f"c{number}.example",
        "segment": "enterprise" if number % 2 else "smb",
        "industry": None,
        "country": "DE",
        "employees": number * 10,
        "csm_email": "ann@cs.example",
        "csm_name": "Ann",
        "parent_id": None,
        "became_customer_on": None,
        "merged_into_id": None,
        "created_at": NOW,
        "updated_at": NOW,
        **columns,
    }


def scorecard_row(customer: str, as_of: date, **columns: Any) -> dict[str, Any]:
    return {
        "id": f"{customer}:{as_of}",
        "customer_id": customer,
        "as_of": as_of,
        "health": 0.5,
        "band": "stable",
        "coverage": 1.0,
        "reason": None,
        "previous_band": None,
        "churn_risk": 0.1,
        "churn_annualised": 0.35,
        "churn_band": "low",
        "facts": {"mrr": 100.0, "plan": "Pro", "dau": None},
        "readings": [{"measure": "adoption", "group": "usage", "value": 0.5, "weight": 0.4, "contribution": 0.0}],
        "definition_hash": "h",
        "computed_at": NOW,
        "latest": True,
        **columns,
    }


async def insert(store: Store, table: Any, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows; columns they leave out that must have a value get a plain one."""
    plain = {
        column.name: NOW if isinstance(column.type, UtcDateTime) else _PLAIN.get(column.type.python_type, "")
        for column in table.c
        if not column.nullable and column.server_default is None and not column.primary_key
        if column.name not in rows[0]
    }
    async with store.transaction() as connection:
        await connection.execute(table.insert(), [{**plain, **row} for row in rows])


async def seed(store: Store, count: int = 3, *, first: int = 0, **columns: Any) -> None:
    """`count` customers from number `first` on, each with a few of everything. `columns`: of the customers."""
    customers = [customer_row(number, **columns) for number in range(first, first + count)]
    ids = [row["id"] for row in customers]
    at = [NOW - timedelta(days=days) for days in range(10)]
    await insert(store, tables.customer, customers)
    if first == 0:
        await insert(
            store,
            tables.churn_model,
            [
                {
                    "version": "m1",
                    "kind": "xgboost",
                    "horizon": "90d",
                    "horizon_days": 90,
                    "trained_at": NOW,
                    "trained_on_from": None,
                    "trained_on_to": None,
                    "features": ["mrr", "dau"],
                    "evaluation": {"auc": 0.75},
                    "parameters": {},
                    "artifact": b"secret of the model",
                    "role": "champion",
                    "promoted_at": NOW,
                }
            ],
        )
    rows: dict[Any, list[dict[str, Any]]] = {}

    def put(table: Any, **row: Any) -> None:
        rows.setdefault(table, []).append(row)

    for number, cid in enumerate(ids, first):
        for days in (0, 1, 35):
            put(
                tables.scorecard,
                **scorecard_row(cid, TODAY - timedelta(days=days), latest=days == 0, health=0.5 if days < 35 else 0.75),
            )
        put(
            tables.churn_prediction,
            id=f"{cid}:p",
            customer_id=cid,
            as_of=TODAY,
            model_version="m1",
            horizon_days=90,
            probability=0.1,
            annualised=0.35,
            band="low",
            confidence="normal",
            main=True,
            latest=True,
            reasons=[{"code": "usage_fell", "text": "Usage fell", "feature": "dau", "effect": 0.4, "direction": "up"}],
            computed_at=NOW,
        )
        stated = {"customer_id": cid, "reason": "Known", "by": "ann@cs.example", "expires_on": TODAY}
        withdrawn = {"withdrawn_at": at[1], "withdrawn_by": "bob@cs.example"}
        for table, value in ((tables.health_override, "score"), (tables.sentiment, "value")):
            put(table, id=f"{cid}:new", set_at=at[1], withdrawn_at=None, withdrawn_by=None, **stated, **{value: 0.75})
            put(table, id=f"{cid}:old", set_at=at[2], **withdrawn, **stated, **{value: 0.25})
        made = {"customer_id": cid, "as_of": TODAY, "health": 0.5, "band": "stable", "computed_at": NOW, "latest": True}
        reading = {"measure": "adoption", "value": 0.5}
        put(tables.extra_scorecard, id=f"{cid}:x", name="adoption", definition_hash="x", readings=[reading], **made)
        whole = {"customer_id": cid, "name": cid, "score": 0.5, "weight": 1.0, "contribution": 0.5}
        put(tables.rollup_scorecard, id=f"{cid}:r", method="value", customers=1, parts=[whole], **made)
        for days in range(4):
            put(
                tables.ticket,
                **record(
                    "desk",
                    f"{cid}-{days}",
                    cid,
                    subject=f"Ticket {days}",
                    status="open" if days else "closed",
                    severity="high",
                    requester_email=None,
                    created_at=at[days],
                    solved_at=None,
                    first_response_minutes=5.0,
                    resolution_minutes=None,
                    reopens=0,
                    replies=1,
                    url=None,
                ),
            )
            put(
                tables.contact,
                **record(
                    "crm",
                    f"{cid}-{days}",
                    cid,
                    email=f"p{days}@{cid}.example",
                    name=f"Person {days}",
                    title=None,
                    role=None,
                    last_seen_at=None,
                    created_at=None if days == 3 else at[days],
                ),
            )
            for user in ("u1", "u2")[: 1 + days % 2]:
                put(
                    tables.user_activity_day,
                    **record(
                        "app",
                        f"{cid}-{user}-{days}",
                        cid,
                        user_key=user,
                        day=TODAY - timedelta(days=days),
                        events=10,
                        sessions=2,
                        minutes=7.5,
                    ),
                )
            put(
                tables.feature_usage_day,
                **record(
                    "app", f"{cid}-f-{days}", cid, feature="export", day=TODAY - timedelta(days=days), events=3, users=1
                ),
            )
        put(
            tables.survey_response,
            **record(
                "crm",
                f"{cid}-s",
                cid,
                type="nps",
                scale="0-10",
                score=9.0,
                comment="Good",
                respondent_email=None,
                responded_at=at[1],
                ticket_key=None,
            ),
        )
        for term, ended in (("old", TODAY), ("new", None), ("small", None)):
            put(
                tables.subscription,
                **record(
                    "bill",
                    f"{cid}-{term}",
                    cid,
                    plan=term,
                    mrr=5.0 if term == "small" else 100.0 + number,
                    currency="EUR",
                    seats_purchased=5,
                    seats_used=None,
                    started_on=TODAY - timedelta(days=30),
                    renews_on=None,
                    ended_on=ended,
                    auto_renew=True,
                    status="active",
                    cancelled_at=None,
                    cancellation_kind=None,
                ),
            )
        put(
            tables.opportunity,
            **record(
                "crm",
                f"{cid}-o",
                cid,
                name="Renewal",
                type="renewal",
                stage="open",
                stage_name="Talking",
                amount=None,
                currency="EUR",
                close_on=None,
                created_at=None,
                owner_email=None,
            ),
        )
        put(
            tables.external_id,
            **record(
                "crm",
                cid,
                cid,
                name=f"Customer {number}",
                domains=["a.example"],
                state="matched",
                method="domain",
                reason="same domain",
            ),
        )
        put(
            tables.playbook_run,
            id=f"run-{cid}-0",
            playbook="save",
            playbook_version=3,
            definition={},
            customer_id=cid,
            episode="e",
            cause="hand",
            started_by="ann",
            state="running",
            step=1,
            fence=1,
            wake_at=None,
            facts={"mrr": 1.0},
            error=None,
            started_at=at[1],
            updated_at=at[1],
            finished_at=None,
        )
        put(
            tables.playbook_step,
            id=f"run-{cid}-0:0",
            run_id=f"run-{cid}-0",
            index=0,
            action="notify",
            state="done",
            detail=None,
            done_at=at[0],
        )
        put(
            tables.delivery,
            id=f"d-{cid}",
            dedup_key=f"d-{cid}",
            run_id=f"run-{cid}-0",
            customer_id=cid,
            channel="email",
            address="ann@cs.example",
            subject="Call",
            payload={"text": "Call"},
            state="sent",
            receipt=None,
            error=None,
            attempts=1,
            reserved_at=at[1],
            claimed_by=None,
            not_before=None,
            sent_at=at[1],
            confirmed_at=None,
        )
        put(
            tables.alert,
            id=f"a-{cid}",
            customer_id=cid,
            kind="alert",
            title="Health fell",
            reason="Usage",
            severity="high",
            state="open",
            outcome=None,
            owner_email="ann@cs.example",
            due_on=None,
            snoozed_until=NOW + timedelta(days=1),
            note=None,
            run_id=f"run-{cid}-0",
            dedup_key=f"a-{cid}",
            opened_at=at[1],
            updated_at=at[1],
            closed_at=None,
        )
    put(
        tables.source,
        name="desk",
        connector="zendesk",
        locked_by=None,
        locked_until=None,
        paused_until=None,
        last_succeeded_at=NOW,
    )
    put(tables.bookmark, id="desk:tickets", source="desk", stream="tickets", value={"t": 1}, moved_at=at[1])
    counts = {"theirs": 20, "ours": 19, "missing": 2, "extra": 1, "stale": 0, "repaired": 1, "deleted": 1, "held": 0}
    put(
        tables.stream_state,
        id="desk:tickets",
        source="desk",
        stream="tickets",
        makes=["ticket"],
        complete_to=at[1],
        checked_at=at[1],
        check_way="ids",
        completeness=0.95,
        **counts,
    )
    for number, state in enumerate(("done", "pending", "pending", "failed")):
        put(
            tables.source_event,
            id=f"desk:{number}",
            source="desk",
            stream="tickets",
            key=str(number),
            event_id=f"e{number}",
            pushed=False,
            received_at=at[1] - timedelta(minutes=number),
            state=state,
            tries=number,
            due_at=at[1],
        )
    put(
        tables.sync_run,
        id="sync-desk-1",
        source="desk",
        state="succeeded",
        started_at=at[1],
        finished_at=at[1],
        streams={
            "tickets": {
                "pulled": 4,
                "new": 4,
                "changed": 0,
                "unchanged": 0,
                "quarantined": 1,
                "erased": 2,
                "state": "done",
            }
        },
        pulled=4,
        new=4,
        changed=0,
        unchanged=0,
        quarantined=1,
        error=None,
    )
    put(
        tables.quarantine,
        id="desk:tickets:9",
        source="desk",
        stream="tickets",
        key="9",
        field="created_at",
        reason="field 'created_at' is missing",
        raw={"id": 9, "phone": "secret"},
        seen=2,
        first_seen_at=at[2],
        last_seen_at=at[1],
    )
    if first:  # what is no customer's is there already
        rows = {table: each for table, each in rows.items() if table not in (tables.source, *_OF_SOURCES)}
    order = [table for table in tables.metadata.sorted_tables if table in rows]
    for table in order:
        await insert(store, table, rows[table])

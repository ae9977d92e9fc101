"""The timeline: an entry of every kind with its sentence, whole walks in pages, and one statement however many customers."""

from datetime import datetime, timedelta
from typing import Any

from hub.access.sealing import closed
from hub.model.actions import Role
from hub.store import Store, tables
from hub.store.timeline import PARTS
from schema.nodes import global_id
from tests.schema.company import NOW, TODAY, customer_row, insert, record, scorecard_row, seed
from tests.schema.fakes import Ask
from tests.schema.test_everything import counting

WALK = """
query ($id: ID!, $first: Int!, $after: String, $kinds: [TimelineKind!], $from: DateTime, $to: DateTime) {
  customer(id: $id) {
    timeline(first: $first, after: $after, kinds: $kinds, from: $from, to: $to) {
      totalCount
      nodes { id at kind title subjectId actor text }
      pageInfo { hasNextPage hasPreviousPage endCursor }
    }
  }
}
"""
CID = "c000"
ANN = "ann@cs.example"


def at(days: int, hour: int = 12) -> datetime:
    return NOW.replace(hour=hour) - timedelta(days=days)


async def eventful(store: Store) -> None:
    """A customer to whom everything there is has happened, once."""
    await insert(store, tables.customer, [customer_row(0), customer_row(1, name="Old Name", merged_into_id=CID)])
    own = {"customer_id": CID}
    day = lambda days: TODAY - timedelta(days=days)  # noqa: E731 - short for what follows
    cards = [
        scorecard_row(CID, day(3), previous_band="stable", band="warning", latest=False),
        scorecard_row(CID, day(2), previous_band="warning", band="warning", latest=False),
        scorecard_row(CID, day(0), previous_band=None, band="warning"),
    ]
    await insert(store, tables.scorecard, cards)
    call = {**own, "severity": "high", "owner_email": ANN, "updated_at": NOW, "reason": None}
    closed = {"state": "closed", "outcome": "success", "closed_at": at(4), "changed_by": ANN, "note": "Called"}
    await insert(
        store,
        tables.alert,
        [
            {
                **call,
                "id": "a1",
                "dedup_key": "a1",
                "kind": "alert",
                "title": "Health fell",
                "opened_at": at(5),
                **closed,
            },
            {**call, "id": "t1", "dedup_key": "t1", "kind": "task", "title": "Call", "opened_at": at(6), **closed},
        ],
    )
    run = {**own, "playbook": "save", "playbook_version": 1, "definition": {}, "cause": "hand", "facts": {}}
    await insert(
        store,
        tables.playbook_run,
        [
            {
                **run,
                "id": "r1",
                "episode": "1",
                "state": "done",
                "started_by": ANN,
                "started_at": at(7),
                "finished_at": at(6, 1),
            },
            {
                **run,
                "id": "r2",
                "episode": "2",
                "state": "held_out",
                "started_by": None,
                "started_at": at(7),
                "finished_at": None,
            },
        ],
    )
    asked = {"run_id": "r1", "step": 0, **own, "question": "Well?", "asked_at": at(7)}
    decided = {"state": "approved", "decided_at": at(6, 2), "decided_by": ANN, "note": "Do"}
    await insert(store, tables.approval, [{"id": "r1:0", **asked, **decided}])
    message = {**own, "channel": "email", "address": "p@c.example", "payload": {}, "reserved_at": at(8)}
    await insert(
        store,
        tables.delivery,
        [
            {**message, "id": "d1", "dedup_key": "d1", "state": "confirmed", "subject": "Hello", "sent_at": at(8)},
            {**message, "id": "d2", "dedup_key": "d2", "state": "failed", "subject": "Never", "sent_at": at(8)},
        ],
    )
    invited = {"id": "i1", **own, "address": "p@c.example", "name": "Pat", "asked_at": at(9), "asked_by": "schedule"}
    await insert(store, tables.survey_invitation, [{**invited, "expires_at": NOW, "delivery_id": "d1"}])
    said = {**own, "reason": "They told me", "by": ANN, "expires_on": TODAY}
    await insert(store, tables.sentiment, [{"id": "s1", "value": 0.5, "set_at": at(10), **said}])
    taken = {"withdrawn_at": at(10, 1), "withdrawn_by": "bob@cs.example"}
    await insert(store, tables.health_override, [{"id": "o1", "score": 0.75, "set_at": at(11), **taken, **said}])
    await insert(
        store,
        tables.snooze,
        [{"id": "z1", **own, "reason_key": "health", "until": NOW, "note": "Busy", "made_by": ANN, "made_at": at(12)}],
    )
    changes = [
        {**own, "field": "churn_level", "old": None, "new": "high", "changed_at": at(13)},
        {**own, "field": "renewal_auto", "old": "no", "new": "yes", "changed_at": at(13)},
    ]
    await insert(store, tables.lifecycle_change, changes)
    began = {
        "id": "ob1",
        **own,
        "attempt": 1,
        "programme": "standard",
        "state": "completed",
        "cause": "hand",
        "started_by": ANN,
    }
    ended = {"started_at": at(20), "ended_at": at(14), "ended_by": ANN, "ended_why": "All done"}
    await insert(store, tables.onboarding, [{**began, **ended}])
    step = {"id": "ob1:kick", "onboarding_id": "ob1", "name": "kick", "title": "Kick-off", "after": [], "times": 1}
    await insert(
        store,
        tables.onboarding_step,
        [{**step, "state": "done", "done_at": at(15), "done_by": ANN, "note": "Went well"}],
    )
    due = {
        "id": "ren1",
        **own,
        "due_on": day(17),
        "currency": "EUR",
        "started_on": day(300),
        "terms": [],
        "target": 1200.0,
    }
    await insert(
        store,
        tables.renewal,
        [{**due, "status": "renewed", "final": 1500.0, "decided_on": day(16), "stated_by": ANN, "reason": "Said so"}],
    )
    found = {
        "id": "e1",
        **own,
        "rule": "seats",
        "kind": "seats",
        "title": "More seats",
        "evidence": {},
        "found_on": day(19),
    }
    await insert(
        store, tables.expansion_opportunity, [{**found, "state": "won", "closed_on": day(18), "decided_by": ANN}]
    )
    await records(store)


async def records(store: Store) -> None:
    def day(days: int) -> Any:
        return TODAY - timedelta(days=days)

    await insert(store, tables.contact, [record("crm", "p", CID, name="Pat", created_at=at(21))])
    ticket = {"status": "closed", "severity": "high", "subject": "It hurts", "created_at": at(23), "solved_at": at(22)}
    await insert(
        store,
        tables.ticket,
        [record("desk", "1", CID, **ticket), {**record("desk", "2", CID, **ticket), "deleted": True}],
    )
    answer = {"type": "nps", "scale": "0-10", "score": 9.0, "comment": "Fine", "responded_at": at(24)}
    await insert(store, tables.survey_response, [record("survey", "1", CID, **answer)])
    term = {"currency": "EUR", "auto_renew": True, "status": "active", "ended_on": None, "cancelled_at": None}
    over = {"ended_on": day(25), "cancelled_at": at(26)}
    await insert(
        store,
        tables.subscription,
        [
            record(
                "bill", "1", CID, **{**term, "plan": "Basic", "mrr": 100.0, "started_on": day(400), "ended_on": day(30)}
            ),
            record("bill", "2", CID, **{**term, "plan": "Pro", "mrr": 250.5, "started_on": day(30), **over}),
            record("bill", "3", CID, **term, plan="Planned", mrr=1.0, started_on=day(-30)),
        ],
    )
    bill = {"amount": 99.0, "currency": "EUR", "issued_on": day(40), "attempts": 2, "status": "paid"}
    await insert(store, tables.invoice, [record("bill", "i", CID, **bill, failed_at=at(28), paid_at=at(27))])
    deal = {"type": "expansion", "name": "Bigger", "currency": "EUR", "amount": None, "owner_email": ANN}
    await insert(
        store, tables.opportunity, [record("crm", "o", CID, **deal, stage="won", close_on=day(31), created_at=at(32))]
    )
    found = {"name": "C Zero", "domains": ["c0.example"], "state": "matched", "method": "created", "decided_at": at(50)}
    await insert(store, tables.external_id, [record("crm", "k0", CID, **found)])
    change = {"kind": "external_id", "record_id": "crm:k0", "learned_at": at(33), "at": at(33)}
    await insert(
        store,
        tables.field_change,
        [
            {**change, "field": "csm_email", "before": None, "after": ANN},
            {**change, "field": "segment", "before": "smb", "after": "enterprise"},
        ],
    )
    own = {"customer_id": CID}
    word = {**own, "csm_email": "bob@cs.example", "reason": "Leave", "by": ANN, "at": at(36), "ended_at": at(35, 13)}
    await insert(store, tables.csm_assignment, [{"id": "w1", **word, "ended_by": ANN}])
    await insert(store, tables.note, [{"id": "n1", **own, "body": "Moved", "by": ANN, "at": at(36, 13)}])
    merge = {"id": "m1", "kept_id": CID, "merged_id": "c001", "reason": "The same", "by": ANN, "at": at(35)}
    await insert(
        store,
        tables.customer_merge,
        [{**merge, "evidence": ["crm:k1"], "undone_at": at(34), "undone_by": "bob@cs.example"}],
    )


EXPECTED = [
    ("BAND_CHANGED", "Health went from stable to warning", None, None),
    ("TASK_CLOSED", "Task closed (success): Call", ANN, "Called"),
    ("ALERT_CLOSED", "Alert closed (success): Health fell", ANN, "Called"),
    ("ALERT_OPENED", "Alert: Health fell", None, None),
    ("TASK_OPENED", "Task: Call", None, None),
    ("APPROVAL_DECIDED", "A step of a playbook was approved", ANN, "Do"),
    ("PLAYBOOK_FINISHED", "The playbook save ended: done", None, None),
    ("PLAYBOOK_STARTED", "The playbook save started, by hand", ANN, None),
    ("MESSAGE_SENT", "A message went out by email (confirmed)", None, "Hello"),
    ("SURVEY_ASKED", "A contact was asked for an answer to a survey", "schedule", "Pat"),
    ("SENTIMENT_STATED", "Sentiment was stated as 50 of 100", ANN, "They told me"),
    ("OVERRIDE_WITHDRAWN", "The override of health with 75 of 100 was withdrawn", "bob@cs.example", None),
    ("OVERRIDE_STATED", "Health was overridden with 75 of 100", ANN, "They told me"),
    ("SNOOZED", "What is about health was snoozed", ANN, "Busy"),
    ("STANDING_CHANGED", "The churn risk went from unknown to high", None, None),
    ("ONBOARDING_ENDED", "The onboarding standard ended: completed", ANN, "All done"),
    ("ONBOARDING_STEP", "Step of the onboarding done: Kick-off", ANN, "Went well"),
    ("RENEWAL_DECIDED", "A renewal was decided: renewed, 1,500.00 EUR a year", ANN, None),
    ("RENEWAL_DUE", "A renewal of 1,200.00 EUR a year fell due", None, None),
    ("EXPANSION_CLOSED", "An opportunity to expand was won: More seats", ANN, None),
    ("EXPANSION_FOUND", "An opportunity to expand was found: More seats", None, None),
    ("ONBOARDING_STARTED", "The onboarding standard began", ANN, None),
    ("CONTACT_ADDED", "A contact was added by crm", None, "Pat"),
    ("TICKET_SOLVED", "A ticket of severity high was solved", None, "It hurts"),
    ("TICKET_OPENED", "A ticket of severity high was opened", None, "It hurts"),
    ("SURVEY_ANSWERED", "NPS was answered with 9 on 0-10", None, "Fine"),
    ("SUBSCRIPTION_ENDED", "A subscription ended: Pro, 250.50 EUR a month", None, None),
    ("NOTICE_GIVEN", "Notice was given of Pro, 250.50 EUR a month", None, None),
    ("INVOICE_PAID", "An invoice of 99.00 EUR was paid", None, None),
    ("PAYMENT_FAILED", "A payment of 99.00 EUR failed", None, None),
    ("SUBSCRIPTION_CHANGED", "A subscription went on as Pro, 250.50 EUR a month", None, None),
    ("DEAL_CLOSED", "A deal was won: Bigger, an unknown amount a year", ANN, None),
    ("DEAL_OPENED", "A deal was opened (expansion): Bigger, an unknown amount a year", ANN, None),
    ("CSM_CHANGED", f"The CSM changed from nobody to {ANN}", None, None),
    ("MERGE_UNDONE", "The merge of Old Name into it was undone", "bob@cs.example", None),
    ("CSM_GIVEN_BACK", "It is no longer bob@cs.example's by our own word: the source's counts", ANN, None),
    ("CUSTOMER_MERGED", "Old Name was merged into it", ANN, "The same"),
    ("NOTE_WRITTEN", "A note was written", ANN, "Moved"),
    ("CSM_ASSIGNED", "It was given to bob@cs.example", ANN, "Leave"),
    ("IDENTITY_DECIDED", "C Zero of crm is this customer, by created", None, "k0"),
    ("SUBSCRIPTION_STARTED", "A subscription began: Basic, 100.00 EUR a month", None, None),
]


async def test_every_kind_of_entry_once_newest_first(ask: Ask, store: Store) -> None:
    await eventful(store)
    body = await ask(WALK, {"id": global_id("customer", CID), "first": 100}, role=Role.CSM)
    page = body["data"]["customer"]["timeline"]
    assert [(each["kind"], each["title"], each["actor"], each["text"]) for each in page["nodes"]] == EXPECTED
    assert {kind for kind, *_ in EXPECTED} == {kind.upper() for kind in PARTS}, "a new kind is to be tried here too"
    moments = [each["at"] for each in page["nodes"]]
    assert moments == sorted(moments, reverse=True)
    assert moments[0] == "2026-10-29T00:00:00+00:00"
    assert moments[1] == "2026-10-28T12:00:00+00:00"
    assert page["nodes"][0]["subjectId"] == global_id("scorecard", f"{CID}:2026-10-29")
    assert page["pageInfo"] == {
        "hasNextPage": False,
        "hasPreviousPage": False,
        "endCursor": page["pageInfo"]["endCursor"],
    }
    found = await ask(
        "query ($id: ID!) { node(id: $id) { ... on CustomerMerge { mergedName by undoable customer { name } } } }",
        {"id": next(each["subjectId"] for each in page["nodes"] if each["kind"] == "CUSTOMER_MERGED")},
    )
    assert found["data"]["node"] == {
        "mergedName": "Old Name",
        "by": ANN,
        "undoable": False,
        "customer": {"name": "Customer 000"},
    }


async def test_every_subject_is_found_by_its_id(ask: Ask, store: Store) -> None:
    await eventful(store)
    body = await ask(WALK, {"id": global_id("customer", CID), "first": 100}, role=Role.CSM)
    subjects = {each["kind"]: each["subjectId"] for each in body["data"]["customer"]["timeline"]["nodes"]}
    without = {kind for kind, subject in subjects.items() if subject is None}
    assert without == {
        "STANDING_CHANGED",
        "SENTIMENT_STATED",
        "OVERRIDE_STATED",
        "OVERRIDE_WITHDRAWN",
        "SNOOZED",
        "CSM_CHANGED",
        "CSM_ASSIGNED",
        "CSM_GIVEN_BACK",
    }
    for subject in set(subjects.values()) - {None}:
        found = await ask("query ($id: ID!) { node(id: $id) { id } }", {"id": subject})
        assert found["data"]["node"] == {"id": subject}


async def test_a_walk_in_pages_loses_and_repeats_nothing_where_moments_are_the_same(ask: Ask, store: Store) -> None:
    await insert(store, tables.customer, [customer_row(0)])
    ticket = {"status": "open", "severity": "low", "created_at": at(1), "solved_at": at(1)}
    await insert(store, tables.ticket, [record("desk", f"{number}", CID, **ticket) for number in range(7)])
    await insert(store, tables.contact, [record("crm", f"{number}", CID, created_at=at(1)) for number in range(3)])
    found: list[str] = []
    after = None
    for turn in range(20):
        variables = {"id": global_id("customer", CID), "first": 3, "after": after}
        page = (await ask(WALK, variables, role=Role.CSM))["data"]["customer"]["timeline"]
        assert page["totalCount"] == 17
        assert page["pageInfo"]["hasPreviousPage"] is (turn > 0)
        found += [each["id"] for each in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert len(found) == 17 == len(set(found))


async def test_kinds_and_moments_narrow_it(ask: Ask, store: Store) -> None:
    await eventful(store)

    async def kinds(**given: Any) -> tuple[list[str], int]:
        variables = {"id": global_id("customer", CID), "first": 100, **given}
        page = (await ask(WALK, variables, role=Role.CSM))["data"]["customer"]["timeline"]
        return [each["kind"] for each in page["nodes"]], page["totalCount"]

    assert await kinds(kinds=["TICKET_SOLVED", "SURVEY_ANSWERED"]) == (["TICKET_SOLVED", "SURVEY_ANSWERED"], 2)
    assert await kinds(kinds=[]) == ([], 0)
    bounds = {"from": at(23).isoformat(), "to": at(21).isoformat()}
    assert await kinds(**bounds) == (["CONTACT_ADDED", "TICKET_SOLVED", "TICKET_OPENED"], 3)
    later = {"kinds": ["SUBSCRIPTION_STARTED"], "to": "2027-12-31T00:00:00Z"}
    assert await kinds(**later) == (["SUBSCRIPTION_STARTED"], 1), "what is only planned has not happened"
    naive = await ask(
        WALK, {"id": global_id("customer", CID), "first": 1, "from": "2026-01-01T00:00:00"}, role=Role.CSM
    )
    assert naive["errors"][0]["message"] == "2026-01-01T00:00:00 has no time zone: write 2026-01-01T00:00:00Z"


async def test_many_customers_are_one_statement_and_each_has_its_own(ask: Ask, store: Store) -> None:
    await seed(store, 30)
    query = (
        "query ($first: Int!) { customers(first: $first) { nodes { name timeline(first: 4) { nodes { id title } } } } }"
    )
    counts = {}
    for first in (1, 30):
        with counting(store) as seen:
            body = await ask(query, {"first": first})
        counts[first] = len([statement for statement in seen if not statement.startswith("BEGIN")])
    assert counts == {1: 2, 30: 2}
    for number, customer in enumerate(body["data"]["customers"]["nodes"]):
        assert [entry["id"] for entry in customer["timeline"]["nodes"]] == [
            closed("timeline", each.encode())
            for each in (
                f"ticket_opened:desk:c{number:03}-0",
                f"contact_added:crm:c{number:03}-0",
                f"subscription_ended:bill:c{number:03}-old",
                f"ticket_opened:desk:c{number:03}-1",
            )
        ]


async def test_what_people_wrote_needs_the_scope_personal(ask: Ask, store: Store) -> None:
    await eventful(store)
    query = "query ($id: ID!) { customer(id: $id) { timeline { nodes { title text } } } }"
    body = await ask(query, {"id": global_id("customer", CID)}, role=Role.VIEWER)
    assert body["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    assert "TimelineEntry.text" in body["errors"][0]["message"]
    assert not body.get("data")
    titles = await ask(
        "query ($id: ID!) { customer(id: $id) { timeline(first: 100) { nodes { title } } } }",
        {"id": global_id("customer", CID)},
    )
    assert len(titles["data"]["customer"]["timeline"]["nodes"]) == len(EXPECTED)
    for personal in ("Pat", "It hurts", "Fine", "Hello", "p@c.example"):
        assert personal not in str(titles)

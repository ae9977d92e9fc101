"""How true a source's streams are, what its vendor told, and what can be done about it."""

from hub.errors import NotFoundError
from hub.model.actions import Role
from hub.store import Store
from tests.schema.company import seed
from tests.schema.fakes import Ask, FakeActions


async def test_streams_say_how_true_they_are(ask: Ask, store: Store) -> None:
    await seed(store, 1)
    body = await ask(
        "{ sources { name pendingEvents failedEvents lastEvent { receivedAt state } streams { stream completeTo freshSeconds"
        " completeness checkedAt theirs missing extra stale held checkError } lastRun { streams { stream gone } } } }"
    )
    never, synced = body["data"]["sources"]
    assert (never["streams"], never["pendingEvents"], never["lastEvent"]) == ([], 0, None)
    at = "2026-10-31T12:00:00+00:00"
    assert synced == {
        "name": "desk",
        "pendingEvents": 2,
        "failedEvents": 1,
        "lastEvent": {"receivedAt": at, "state": "done"},
        "streams": [
            {
                "stream": "tickets",
                "completeTo": at,
                "freshSeconds": 86_400.0,
                "completeness": 0.95,
                "checkedAt": at,
                "theirs": 20,
                "missing": 2,
                "extra": 1,
                "stale": 0,
                "held": 0,
                "checkError": None,
            }
        ],
        "lastRun": {"streams": [{"stream": "tickets", "gone": None}]},
    }


RECONCILE = """
mutation ($input: SourceReconcileInput!) {
  sourceReconcile(input: $input) {
    source { name } checks { stream theirs missing extra completeness error } errors { code message }
  }
}
"""


async def test_a_comparison_is_tried_or_asked_for(ask: Ask, store: Store, actions: FakeActions) -> None:
    await seed(store, 1)
    tried = await ask(RECONCILE, {"input": {"source": "desk", "dryRun": True}}, role=Role.ADMIN)
    assert tried["data"]["sourceReconcile"] == {
        "source": {"name": "desk"},
        "checks": [
            {"stream": "tickets", "theirs": 20, "missing": 2, "extra": 1, "completeness": 0.9, "error": None},
            {
                "stream": "users",
                "theirs": None,
                "missing": None,
                "extra": None,
                "completeness": None,
                "error": "cannot be compared: the vendor lists no ids",
            },
        ],
        "errors": [],
    }
    given = {"source": "desk", "streams": ["tickets"], "acceptDeletions": True, "idempotencyKey": "once"}
    for _ in range(2):
        asked = await ask(RECONCILE, {"input": given}, role=Role.ADMIN)
        assert asked["data"]["sourceReconcile"] == {"source": {"name": "desk"}, "checks": None, "errors": []}
    assert actions.calls == [("compare", "desk", None), ("reconcile", "desk", ["tickets"], True, "a admin")]
    actions.refuse = NotFoundError("desk has no stream 'x'; it has: tickets")
    refused = await ask(RECONCILE, {"input": {"source": "desk", "streams": ["x"]}}, role=Role.ADMIN)
    assert refused["data"]["sourceReconcile"]["errors"] == [
        {"code": "NOT_FOUND", "message": "desk has no stream 'x'; it has: tickets"}
    ]


async def test_what_waits_in_quarantine_is_tried_again(ask: Ask, store: Store, actions: FakeActions) -> None:
    await seed(store, 1)
    query = (
        'mutation { quarantineRetry(input: {source: "desk"})'
        " { source { name } streams { stream tried freed remaining } errors { code } } }"
    )
    body = await ask(query, role=Role.ADMIN)
    assert body["data"]["quarantineRetry"] == {
        "source": {"name": "desk"},
        "streams": [{"stream": "tickets", "tried": 5, "freed": 4, "remaining": 1}],
        "errors": [],
    }
    assert actions.calls == [("retry", "desk", None, False, "a admin")]
    for role in (Role.MANAGER, Role.VIEWER):
        assert "errors" in await ask(query, role=role)
    assert len(actions.calls) == 1

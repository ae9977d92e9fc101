"""The root fields that are not lists of customers."""

from hub.model.actions import Role
from hub.store import Store
from schema.nodes import global_id
from tests.schema.company import seed
from tests.schema.fakes import Ask


async def test_node_finds_anything_by_its_id(ask: Ask, store: Store) -> None:
    await seed(store, 1)
    for entity, key, type_ in (
        ("customer", "c000", "Customer"),
        ("ticket", "desk:c000-1", "Ticket"),
        ("scorecard", "c000:2026-11-01", "Scorecard"),
        ("alert", "a-c000", "Alert"),
        ("playbook_run", "run-c000-0", "PlaybookRun"),
        ("delivery", "d-c000", "Delivery"),
        ("source", "desk", "Source"),
        ("sync_run", "sync-desk-1", "SyncRun"),
        ("subscription", "bill:c000-new", "Subscription"),
        ("survey_response", "crm:c000-s", "SurveyResponse"),
        ("contact", "crm:c000-1", "Contact"),
        ("opportunity", "crm:c000-o", "Opportunity"),
    ):
        found = global_id(entity, key)
        body = await ask(
            "query ($id: ID!) { node(id: $id) { __typename id ... on Ticket { subject } } }", {"id": found}
        )
        assert body["data"]["node"]["__typename"] == type_
        assert body["data"]["node"]["id"] == found


async def test_customer_by_id(ask: Ask, store: Store) -> None:
    await seed(store, 1)
    query = "query ($id: ID!) { customer(id: $id) { name health { score } } }"
    body = await ask(query, {"id": global_id("customer", "c000")})
    assert body["data"]["customer"] == {"name": "Customer 000", "health": {"score": 0.5}}
    assert (await ask(query, {"id": global_id("customer", "nobody")}))["data"] == {"customer": None}
    wrong = await ask(query, {"id": global_id("ticket", "desk:c000-1")})
    assert wrong["errors"][0]["message"].endswith("is the id of a Ticket, not of a Customer")
    assert wrong["errors"][0]["extensions"] == {"code": "BAD_INPUT"}
    assert "is not an id of this API" in (await ask(query, {"id": "c000"}))["errors"][0]["message"]


async def test_sources_show_how_syncing_stands(ask: Ask, store: Store) -> None:
    await seed(store, 1)
    body = await ask(
        "{ sources { id name connector configured enabled schedule syncing pausedUntil lastSucceededAt quarantineCount"
        " unmatchedCompanies lastRun { state pulled streams { stream new quarantined erased } }"
        " runs { totalCount } bookmarks { stream ageSeconds } quarantine { nodes { key field reason seen } } } }"
    )
    never, synced = body["data"]["sources"]
    assert (never["name"], never["connector"], never["enabled"], never["lastRun"]) == ("app", "mixpanel", False, None)
    assert (never["runs"], never["bookmarks"], never["quarantineCount"]) == ({"totalCount": 0}, [], 0)
    assert synced == (
        {
            "id": global_id("source", "desk"),
            "name": "desk",
            "connector": "zendesk",
            "configured": True,
            "enabled": True,
            "schedule": "*/15 * * * *",
            "syncing": False,
            "pausedUntil": None,
            "lastSucceededAt": "2026-11-01T12:00:00+00:00",
            "quarantineCount": 1,
            "unmatchedCompanies": 0,
            "lastRun": {
                "state": "SUCCEEDED",
                "pulled": 4,
                "streams": [{"stream": "tickets", "new": 4, "quarantined": 1, "erased": 2}],
            },
            "runs": {"totalCount": 1},
            "bookmarks": [{"stream": "tickets", "ageSeconds": 86400.0}],
            "quarantine": {
                "nodes": [{"key": "9", "field": "created_at", "reason": "field 'created_at' is missing", "seen": 2}]
            },
        }
    )


async def test_alerts_runs_and_deliveries_are_filtered(ask: Ask, store: Store) -> None:
    await seed(store, 2)
    body = await ask(
        """
        query ($id: ID!) {
          open: alerts(state: [OPEN, IN_PROGRESS], ownerEmail: "ann@cs.example") { totalCount }
          closed: alerts(state: [CLOSED]) { totalCount }
          one: alerts(customerId: $id) { nodes { customer { name } } }
          playbookRuns(playbook: "save", state: [RUNNING]) { totalCount }
          deliveries(state: [SENT], channel: "email") { totalCount nodes { address } }
          none: deliveries(channel: "slack") { totalCount }
        }
        """,
        {"id": global_id("customer", "c001")},
    )
    assert body["data"] == {
        "open": {"totalCount": 2},
        "closed": {"totalCount": 0},
        "one": {"nodes": [{"customer": {"name": "Customer 001"}}]},
        "playbookRuns": {"totalCount": 2},
        "deliveries": {"totalCount": 2, "nodes": [{"address": "ann@cs.example"}] * 2},
        "none": {"totalCount": 0},
    }


async def test_playbooks_model_and_viewer(ask: Ask, store: Store) -> None:
    await seed(store, 1)
    body = await ask(
        "{ playbooks { name version title restDays enabled when steps { action summary } }"
        " churnModel { version kind champion horizonDays featureCount evaluation } viewer { name role csmEmail } }",
        role=Role.CSM,
    )
    assert body["data"] == {
        "playbooks": [
            {
                "name": "save",
                "version": 3,
                "title": "Save a customer",
                "restDays": 14.0,
                "enabled": True,
                "when": {"health": {"lt": 0.3}},
                "steps": [{"action": "notify", "summary": "Tell the CSM on Slack"}],
            }
        ],
        "churnModel": {
            "version": "m1",
            "kind": "xgboost",
            "champion": True,
            "horizonDays": 90,
            "featureCount": 2,
            "evaluation": {"auc": 0.75},
        },
        "viewer": {"name": "a csm", "role": "CSM", "csmEmail": None},
    }

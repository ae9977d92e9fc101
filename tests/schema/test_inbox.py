"""The inbox of alerts and tasks, how sources stand, what is in quarantine, versions, evaluations, settings and the team."""

from datetime import timedelta
from typing import Any

from hub.model.actions import Role
from hub.store import Store, tables
from hub.store.syncs import note_quotas
from schema.nodes import global_id
from tests.schema.company import NOW, TODAY, customer_row, insert, scorecard_row, seed
from tests.schema.fakes import Ask

ANN, BOB = "ann@cs.example", "bob@cs.example"
DAY = timedelta(days=1)


async def calls(store: Store) -> None:
    """Six alerts and tasks of two customers; c001 has more at stake."""
    await insert(store, tables.customer, [customer_row(0), customer_row(1), customer_row(2, csm_email=BOB)])
    cards = [
        scorecard_row("c000", TODAY, churn_risk=0.5, facts={"mrr": 10.0}),
        scorecard_row("c001", TODAY, churn_risk=0.5, facts={"mrr": 1000.0}),
    ]
    await insert(store, tables.scorecard, cards)
    plain = {
        "kind": "alert",
        "state": "open",
        "owner_email": ANN,
        "due_on": None,
        "snoozed_until": None,
        "reason_key": None,
    }
    rows: list[dict[str, Any]] = [
        {"id": "low", "customer_id": "c001", "severity": "low"},
        {"id": "urgent-small", "customer_id": "c000", "severity": "urgent", "due_on": TODAY - DAY},
        {"id": "urgent-large", "customer_id": "c001", "severity": "urgent", "due_on": TODAY},
        {"id": "unscored", "customer_id": "c002", "severity": "urgent", "owner_email": None},
        {"id": "task", "customer_id": "c000", "severity": "high", "kind": "task", "snoozed_until": NOW + DAY},
        {
            "id": "closed",
            "customer_id": "c000",
            "severity": "low",
            "state": "closed",
            "due_on": TODAY - DAY,
            "reason_key": "health",
        },
    ]
    await insert(
        store,
        tables.alert,
        [
            {**plain, "title": row["id"], "dedup_key": row["id"], "opened_at": NOW - place * DAY, **row}
            for place, row in enumerate(rows)
        ],
    )


INBOX = """
query (
  $state: [AlertState!], $owner: String, $by: AlertFilter, $order: AlertOrder! = OPENED_AT, $first: Int! = 100, $after: String
) {
  alerts(state: $state, ownerEmail: $owner, filter: $by, orderBy: $order, first: $first, after: $after) {
    totalCount nodes { title } pageInfo { hasNextPage endCursor }
  }
}
"""


async def test_the_inbox_is_chosen_by_every_filter(ask: Ask, store: Store) -> None:
    await calls(store)

    async def titles(**given: Any) -> list[str]:
        page = (await ask(INBOX, given))["data"]["alerts"]
        assert page["totalCount"] == len(page["nodes"])
        return [each["title"] for each in page["nodes"]]

    every = ["low", "urgent-small", "urgent-large", "unscored", "task", "closed"]
    assert await titles() == every
    assert await titles(by={"kind": "TASK"}) == ["task"]
    assert await titles(by={"severity": ["HIGH", "LOW"]}) == ["low", "task", "closed"]
    assert await titles(by={"owned": False}) == ["unscored"]
    assert await titles(owner=ANN, state=["OPEN"]) == ["low", "urgent-small", "urgent-large", "task"]
    assert await titles(by={"overdue": True}) == ["urgent-small"], "what is closed is not overdue"
    assert await titles(by={"overdue": False}) == ["low", "urgent-large", "unscored", "task"]
    assert await titles(by={"dueFrom": str(TODAY)}) == ["urgent-large"]
    assert await titles(by={"dueTo": str(TODAY - DAY)}) == ["urgent-small", "closed"]
    assert await titles(by={"snoozed": True}) == ["task"]
    assert await titles(by={"snoozed": False}) == [each for each in every if each != "task"]
    assert await titles(by={"reasonKey": ["health"]}) == ["closed"]
    wrong = await ask(INBOX, {"by": {"runId": global_id("customer", "c000")}})
    assert wrong["errors"][0]["message"].endswith("is the id of a Customer, not of a PlaybookRun")


async def test_the_inbox_by_priority_in_pages(ask: Ask, store: Store) -> None:
    await calls(store)
    found: list[str] = []
    after = None
    while True:
        page = (await ask(INBOX, {"order": "PRIORITY", "state": ["OPEN"], "first": 2, "after": after}))["data"][
            "alerts"
        ]
        found += [each["title"] for each in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert found == ["urgent-large", "urgent-small", "unscored", "task", "low"]
    due = (await ask(INBOX, {"order": "DUE_ON", "state": ["OPEN"]}))["data"]["alerts"]["nodes"]
    assert [each["title"] for each in due][:2] == ["urgent-small", "urgent-large"]
    mine = (await ask(INBOX, {"order": "PRIORITY"}, book=BOB))["data"]["alerts"]
    assert (mine["totalCount"], mine["nodes"]) == (1, [{"title": "unscored"}])


async def test_syncs_of_all_sources(ask: Ask, store: Store) -> None:
    await seed(store, 1)
    query = 'query ($state: [SyncState!]) { syncRuns(source: "desk", state: $state) { totalCount nodes { source pulled } } }'
    assert (await ask(query))["data"]["syncRuns"] == {"totalCount": 1, "nodes": [{"source": "desk", "pulled": 4}]}
    assert (await ask(query, {"state": ["FAILED"]}))["data"]["syncRuns"] == {"totalCount": 0, "nodes": []}


async def test_rows_in_quarantine_are_shown_to_managers_alone(ask: Ask, store: Store) -> None:
    await seed(store, 1)
    query = "{ quarantine { totalCount nodes { source stream key field reason raw seen } } }"
    for role in (Role.VIEWER, Role.CSM):
        refused = await ask(query, role=role)
        assert not refused.get("data")
        assert "needs the role manager" in refused["errors"][0]["message"]
        assert "secret" not in str(refused)
    body = await ask(query, role=Role.MANAGER)
    assert body["data"]["quarantine"] == {
        "totalCount": 1,
        "nodes": [
            {
                "source": "desk",
                "stream": "tickets",
                "key": "9",
                "field": "created_at",
                "reason": "field 'created_at' is missing",
                "raw": {"id": 9, "phone": "secret"},
                "seen": 2,
            }
        ],
    }


async def test_what_is_left_of_a_vendors_limits(ask: Ask, store: Store) -> None:
    query = "{ sources { name quota { name limit remaining resetsAt asOf } } }"
    await seed(store, 1)
    assert [each["quota"] for each in (await ask(query))["data"]["sources"]] == [[], []]
    exports = {"name": "exports", "limit": 10, "remaining": 9, "resets_at": NOW + timedelta(minutes=1), "as_of": NOW}
    daily = {"name": "daily", "limit": None, "remaining": 0.5, "resets_at": None, "as_of": NOW}
    async with store.transaction() as connection:
        await note_quotas(connection, "desk", [daily, exports])
    app, desk = (await ask(query))["data"]["sources"]
    assert (app["quota"], desk["name"]) == ([], "desk")
    assert desk["quota"] == [
        {"name": "daily", "limit": None, "remaining": 0.5, "resetsAt": None, "asOf": "2026-11-01T12:00:00+00:00"},
        {
            "name": "exports",
            "limit": 10.0,
            "remaining": 9.0,
            "resetsAt": "2026-11-01T12:01:00+00:00",
            "asOf": "2026-11-01T12:00:00+00:00",
        },
    ]


async def test_freshness_of_streams_and_lateness_against_the_schedule(ask: Ask, store: Store) -> None:
    await seed(store, 1)
    bookmark = {"id": "desk:users", "source": "desk", "stream": "users", "value": None, "complete": True}
    await insert(store, tables.bookmark, [{**bookmark, "moved_at": NOW, "brought_at": NOW - timedelta(hours=2)}])
    async with store.transaction() as connection:
        await connection.execute(tables.source.update().values(last_succeeded_at=NOW - timedelta(minutes=50)))
    query = """
      { sources { name dueAt lateSeconds bookmarks { stream complete ageSeconds broughtAt newestAgeSeconds } } }
    """
    app, desk = (await ask(query))["data"]["sources"]
    assert (app["name"], app["dueAt"], app["lateSeconds"]) == ("app", None, None)
    assert desk == {
        "name": "desk",
        "dueAt": "2026-11-01T11:15:00+00:00",  # every quarter of an hour; the last succeeded at 11:10
        "lateSeconds": 2700.0,
        "bookmarks": [
            {
                "stream": "tickets",
                "complete": False,
                "ageSeconds": 86400.0,
                "broughtAt": None,
                "newestAgeSeconds": None,
            },
            {
                "stream": "users",
                "complete": True,
                "ageSeconds": 0.0,
                "broughtAt": "2026-11-01T10:00:00+00:00",
                "newestAgeSeconds": 7200.0,
            },
        ],
    }


async def test_versions_of_playbooks_as_they_stood(ask: Ask, store: Store) -> None:
    rows = [
        {
            "hash": f"h{number}",
            "playbook": name,
            "version": number,
            "definition": {"n": number},
            "first_used_at": NOW - number * DAY,
        }
        for number, name in enumerate(("save", "save", "grow"))
    ]
    await insert(store, tables.playbook_definition, rows)
    query = """
      query ($name: String, $after: String) {
        playbookVersions(first: 1, playbook: $name, after: $after) {
          totalCount nodes { hash version definition } pageInfo { endCursor hasNextPage }
        }
      }
    """
    first = (await ask(query, {"name": "save"}))["data"]["playbookVersions"]
    assert (first["totalCount"], first["nodes"]) == (2, [{"hash": "h0", "version": 0, "definition": {"n": 0}}])
    second = await ask(query, {"name": "save", "after": first["pageInfo"]["endCursor"]})
    assert second["data"]["playbookVersions"]["nodes"][0]["hash"] == "h1"
    assert second["data"]["playbookVersions"]["pageInfo"]["hasNextPage"] is False


EVALUATED = {
    "later_snapshots": {
        "split": "later snapshots",
        "rows": 900,
        "customers": 90,
        "positives": 30,
        "churned": 12,
        "base_rate": 0.03,
        "first_day": "2026-04-01",
        "last_day": "2026-06-01",
        **{
            name: {"value": 0.5, "low": 0.4, "high": 0.6}
            for name in ("roc_auc", "pr_auc", "log_loss", "skill", "brier", "lift")
        },
        "calibration_error": {"value": 0.01, "low": 0.0, "high": 0.02},
        "warning": {"churned": 12, "share": {"value": 0.75, "low": 0.5, "high": 0.9}, "days": None},
        "segments": {},
        "calibration": [{"predicted": 0.1, "observed": 0.12, "low": 0.05, "high": 0.2, "count": 90}],
        "lift_curve": [[0.1, 4.5], [1.0, 1.0]],
    },
    "other_customers": None,
    "rows": 4000,
    "churned": 80,
    "importance": {"dau": 0.75, "mrr": 0.25},
}


async def test_evaluations_of_a_model_with_their_curves(ask: Ask, store: Store) -> None:
    await seed(store, 1)
    async with store.transaction() as connection:
        segment = {**EVALUATED["later_snapshots"], "rows": 300, "segments": {}}  # type: ignore[dict-item]  # JSON
        whole = {**EVALUATED["later_snapshots"], "segments": {"smb": segment}}  # type: ignore[dict-item]  # JSON
        await connection.execute(tables.churn_model.update().values(evaluation={**EVALUATED, "later_snapshots": whole}))
    query = """
      { churnModels { nodes { importance { feature effect } evaluations {
          split firstDay lastDay rows customers churned baseRate metrics { name value low high }
          calibration { predicted observed low high count } liftCurve { share lift } warning { churned flagged days }
          segments { segment rows metrics { name } } } } } }
    """
    model = (await ask(query))["data"]["churnModels"]["nodes"][0]
    assert model["importance"] == [{"feature": "dau", "effect": 0.75}, {"feature": "mrr", "effect": 0.25}]
    (found,) = model["evaluations"]
    assert (found["split"], found["firstDay"], found["rows"], found["baseRate"]) == (
        "later snapshots",
        "2026-04-01",
        900,
        0.03,
    )
    assert found["metrics"][0] == {"name": "roc_auc", "value": 0.5, "low": 0.4, "high": 0.6}
    assert len(found["metrics"]) == 7
    assert found["liftCurve"] == [{"share": 0.1, "lift": 4.5}, {"share": 1.0, "lift": 1.0}]
    assert found["calibration"][0]["count"] == 90
    assert found["warning"] == {"churned": 12, "flagged": 0.75, "days": None}
    assert [(each["segment"], each["rows"], len(each["metrics"])) for each in found["segments"]] == [("smb", 300, 7)]


async def test_a_model_of_before_has_no_evaluation_and_no_importance(ask: Ask, store: Store) -> None:
    await seed(store, 1)
    body = await ask("{ churnModels { nodes { importance { feature } evaluations { split } } } }")
    assert body["data"]["churnModels"]["nodes"] == [{"importance": [], "evaluations": []}]


async def test_settings_and_the_team(ask_sqlite: Ask) -> None:
    body = await ask_sqlite(
        "{ settings { timezone healthDefinitions { name role bands { band begins } coverageFloor } churnBands { band begins }"
        " churnHorizons facts { name field kind unit } measures { name group unit facts } }"
        " team { email name role timezone worksFrom worksTo slackUser } }"
    )
    settings = body["data"]["settings"]
    facts = {fact["name"]: fact for fact in settings.pop("facts")}
    measures = {measure["name"]: measure for measure in settings.pop("measures")}
    assert settings == {
        "timezone": "Europe/Berlin",
        "healthDefinitions": [
            {"name": "main", "role": "main", "bands": [{"band": "CRITICAL", "begins": 0.0}], "coverageFloor": 0.5}
        ],
        "churnBands": [{"band": "HIGH", "begins": 0.7}],
        "churnHorizons": ["90d", "renewal"],
    }
    assert facts["mrr_change_90d"] == {
        "name": "mrr_change_90d",
        "field": "mrrChange90d",
        "kind": "number",
        "unit": "ratio",
    }
    of_nps = {"name": "nps", "group": "feedback", "unit": "0-10", "facts": ["nps_mean_180d", "nps_answers_180d"]}
    assert measures["nps"] == of_nps
    assert {name for measure in measures.values() for name in measure["facts"]} <= facts.keys()
    assert body["data"]["team"] == [
        {
            "email": ANN,
            "name": "Ann",
            "role": "ADMIN",
            "timezone": "UTC",
            "worksFrom": "09:00",
            "worksTo": "17:30",
            "slackUser": "U1",
        },
        {
            "email": BOB,
            "name": None,
            "role": None,
            "timezone": "UTC",
            "worksFrom": "09:00",
            "worksTo": "17:30",
            "slackUser": None,
        },
    ]

"""Sources and matches: what is incomplete is said first, and candidates stand with what speaks for and against them."""

import re
from datetime import UTC, datetime
from typing import Any

from hub.model.actions import Role
from hub.web.dashboard.pages.matches import Sign, signs, weighed
from hub.web.dashboard.pages.source import streams
from hub.web.dashboard.pages.sources import Fault, progress, span, standing
from hub.web.dashboard.pages.sources_quarantine import lines
from hub.web.dashboard.serving import documents
from tests.web.dashboard.conftest import Dashboard

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
STREAM: dict[str, Any] = {
    "stream": "tickets",
    "completeTo": "2026-11-23T11:45:00+00:00",
    "freshSeconds": 900.0,
    "checkedAt": "2026-11-23T03:00:00+00:00",
    "theirs": 1000,
    "ours": 1000,
    "missing": 0,
    "extra": 0,
    "stale": 0,
    "held": 0,
    "completeness": 1.0,
    "checkError": None,
}
RUN: dict[str, Any] = {"state": "SUCCEEDED", "error": None, "streams": []}
SOURCE: dict[str, Any] = {
    "name": "desk",
    "configured": True,
    "enabled": True,
    "syncing": False,
    "lateSeconds": 0.0,
    "pausedUntil": None,
    "lastSucceededAt": "2026-11-23T11:45:00+00:00",
    "freshSeconds": 86_400.0,
    "completeShare": 0.95,
    "failedEvents": 0,
    "quarantineCount": 0,
    "unmatchedCompanies": 0,
    "lastRun": RUN,
    "streams": [STREAM],
}


def test_a_source_is_whole_only_when_nothing_speaks_against_it() -> None:
    whole = standing(SOURCE, NOW)
    assert (whole.tone, whole.word, whole.faults) == ("good", "Whole", [])
    assert (whole.share, whole.compared, whole.streams) == (1.0, 1, 1)
    assert whole.complete_to == "2026-11-23T11:45:00+00:00"
    never = standing({**SOURCE, "streams": [{**STREAM, "theirs": None, "completeness": None}]}, NOW)
    assert (never.word, never.share, never.compared) == ("Whole", None, 0)  # and the page says that nobody compared it


def test_an_incomplete_sync_is_said_stream_by_stream_and_before_all_else() -> None:
    short = {"stream": "tickets", "state": "failed", "pulled": 7, "total": None, "error": "500 to page 7 of 12"}
    run = {
        "state": "INCOMPLETE",
        "error": "tickets: 500",
        "streams": [{**short, "stream": "users", "state": "done"}, short],
    }
    found = standing({**SOURCE, "lastRun": run, "quarantineCount": 2}, NOW)
    assert (found.tone, found.word) == ("bad", "Incomplete")
    assert found.faults == [
        Fault(tone="bad", words="The last sync did not end with tickets (failed): 500 to page 7 of 12"),
        Fault(tone="warn", words="2 rows in quarantine: no records came of them.", href="/sources/desk#quarantine"),
    ]
    failed = standing({**SOURCE, "lastRun": {"state": "FAILED", "error": "401", "streams": []}}, NOW)
    assert [each.words for each in failed.faults] == ["The last sync failed: 401"]


def test_rows_that_are_missing_are_bad_below_what_scores_need_and_never_rounded_to_all() -> None:
    little = {**STREAM, "completeness": 0.9996, "missing": 1}
    assert [(each.tone, each.words) for each in standing({**SOURCE, "streams": [little]}, NOW).faults] == [
        ("warn", "tickets holds 99.9 % of what its vendor lists (1 row missing when compared).")
    ]
    much = {**STREAM, "completeness": 0.9, "missing": 100}
    found = standing({**SOURCE, "streams": [much, {**STREAM, "stream": "users"}]}, NOW)
    assert (found.tone, found.share, found.missing) == ("bad", 0.95, 100)
    assert found.faults[0].words.endswith("(100 rows missing when compared), below the 95% that scores need.")


def test_what_is_late_paused_stale_or_never_pulled_is_said() -> None:
    late = {**SOURCE, "lateSeconds": 3 * 3600.0, "pausedUntil": "2026-11-23T15:00:00+00:00", "unmatchedCompanies": 1}
    assert [each.words for each in standing(late, NOW).faults] == [
        "Its quota is used up: it waits until 23 Nov 15:00 UTC, and goes on there.",
        "Late: its schedule wanted a sync 3 hours ago.",
        "1 company without a customer: its records count for nobody until somebody decides.",
    ]
    stale = {
        **SOURCE,
        "streams": [{**STREAM, "freshSeconds": 3 * 86_400.0}, {**STREAM, "stream": "users", "completeTo": None}],
    }
    found = standing(stale, NOW)
    assert [each.words for each in found.faults] == [
        "tickets is complete only up to 3 days ago; 1 day are allowed.",
        "users was never pulled to its end.",
    ]
    assert (found.tone, found.complete_to) == ("bad", None)
    assert standing({**SOURCE, "lastSucceededAt": None, "lastRun": None}, NOW).word == "Never pulled whole"
    assert standing({**SOURCE, "configured": False}, NOW).tone == "plain"


def test_progress_is_a_share_only_where_the_vendor_tells_how_many() -> None:
    known = {"stream": "tickets", "state": "running", "pulled": 250, "total": 1000}
    assert [
        each["share"] for each in progress({"streams": [known, {**known, "total": None}, {**known, "pulled": 2000}]})
    ] == [
        0.25,
        None,
        1.0,
    ]
    assert progress(None) == []
    assert [span(each) for each in (59, 61, 7200, 90_000)] == ["59 seconds", "1 minute", "2 hours", "1 day"]


def test_a_stream_is_listed_whoever_knows_it() -> None:
    source = {"streams": [STREAM], "bookmarks": [{"stream": "users"}], "lastRun": {"streams": [{"stream": "csat"}]}}
    assert [(each["stream"], each["completeness"]) for each in streams(source)] == [
        ("csat", None),
        ("tickets", 1.0),
        ("users", None),
    ]


def test_the_field_at_fault_is_marked_in_the_row_as_it_came() -> None:
    raw = {"id": 7, "created_at": "yesterday"}
    assert list(lines(raw, "created_at")) == [
        ("{", False),
        ('  "created_at": "yesterday",', True),
        ('  "id": 7', False),
        ("}", False),
    ]
    assert [line for line, _ in lines({"text": "x" * 20_100}, None)][-1].endswith("letters more")


ACME: dict[str, Any] = {
    "id": "1",
    "name": "Acme Ltd",
    "domain": "acme.example",
    "identity": [{"source": "crm", "name": "Acme", "domains": [], "key": "9001", "externalKey": None}],
}
OTHER: dict[str, Any] = {
    "id": "2",
    "name": "Bravo",
    "domain": "bravo.example",
    "identity": [{**ACME["identity"][0], "key": "7"}],
}
COMPANY: dict[str, Any] = {
    "id": "x",
    "source": "desk",
    "key": "70068",
    "name": "ACME GmbH",
    "domains": ["www.acme.example"],
    "externalKey": "9001",
}


def test_what_speaks_for_and_against_a_candidate() -> None:
    assert signs(COMPANY, ACME) == [
        Sign(True, "Both have the domain acme.example."),
        Sign(True, "The same name: Acme Ltd."),
        Sign(True, "It carries the customer's key 9001."),
    ]
    assert signs(COMPANY, OTHER) == [
        Sign(False, "Another domain: bravo.example."),
        Sign(False, "Another name: Bravo."),
        Sign(False, "It carries the key 9001, which is not this customer's."),
    ]
    unnamed = {**COMPANY, "name": None, "domains": [], "externalKey": None, "key": "mia@acme.example", "source": "crm"}
    assert signs(unnamed, ACME) == [
        Sign(True, "Both have the domain acme.example."),
        Sign(True, "The domain spells its name: Acme Ltd."),
        Sign(False, "crm already has another company for this customer."),
    ]


def test_candidates_come_by_what_speaks_for_them_and_merged_ones_not_at_all() -> None:
    candidates = [{"customer": OTHER}, {"customer": None}, {"customer": ACME}]
    assert [each["name"] for each in weighed({**COMPANY, "candidates": candidates})] == ["Acme Ltd", "Bravo"]


async def test_each_page_of_a_source_and_who_may_press_what(dashboard: Dashboard) -> None:
    page = await dashboard.get("/sources")
    assert 'id="source-desk"' in page
    assert 'data-follow="sync-progress"' in page
    one = await dashboard.get("/sources/desk")
    assert "Taken out of the configuration: its records are kept, and nothing new comes." in one
    assert 'data-action="source-sync"' not in one
    await dashboard.get("/sources/desk/quarantine")
    await dashboard.get("/sources/nothing", status=404)
    await dashboard.as_(Role.VIEWER)
    assert "Sync now" not in await dashboard.get("/sources")
    await dashboard.get("/sources/desk/quarantine", status=403)
    assert "personal data" in await dashboard.get("/sources/desk")


async def test_a_match_is_decided_by_managers_and_told_among_the_decided(dashboard: Dashboard) -> None:
    page = await dashboard.get("/sources/matches")
    assert "Two have it." in page
    assert page.count('data-action="identity-decide"') == 3  # another one, a new one, nobody: it has no candidates
    assert "Nothing was decided by hand yet" in await dashboard.get("/sources/matches/decided")
    await dashboard.get("/sources/matches?state=certain", status=404)
    found = re.search(r'data-identity="([^"]+)"', page)
    assert found is not None
    query = documents("actions")["identity-decide"]
    wanted = {"query": query, "variables": {"input": {"id": found[1], "nobody": True}}}
    answer = await dashboard.client.post("/graphql", json=wanted)
    assert answer.json()["data"]["identityDecide"]["errors"] == []
    assert "Nothing waits for a decision" in await dashboard.get("/sources/matches")
    decided = await dashboard.get("/sources/matches/decided")
    assert "no customer of ours" in decided
    assert decided.count('data-action="identity-reopen"') == 1
    await dashboard.as_(Role.CSM, csm_email="ann@cs.example")
    assert "identity-reopen" not in await dashboard.get("/sources/matches/decided")

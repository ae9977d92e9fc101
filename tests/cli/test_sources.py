"""`cshub try`, `sync`, `identity`, `score`, `playbook`: a small hub run by hand over the simulated company's vendors."""

import json
import re
import sqlite3
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from urllib.request import urlopen

from connectors.kit.sandbox import Faults
from hub.clock import utc_now
from hub.demo.sandboxes import Sandboxes
from hub.store.source_events import row_of
from schema.nodes import global_id
from tests.cli.conftest import Cli


def ask(store: Path, statement: str) -> Sequence[tuple[object, ...]]:
    connection = sqlite3.connect(store)
    try:
        return connection.execute(statement).fetchall()
    finally:
        connection.close()


def received(vendors: Sandboxes) -> int:
    """What Slack and the mailboxes got, as anybody may ask over HTTP."""
    with urlopen(f"{vendors.url}/outbox.json") as answer:
        return len(json.load(answer)["arrivals"])


def content(store: Path) -> list[tuple[str, int]]:
    """Rows of every table."""
    names = [str(name) for (name,) in ask(store, "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
    return [(name, int(str(ask(store, f'SELECT count(*) FROM "{name}"')[0][0]))) for name in names]


def crm_only(company: Cli) -> None:
    """Leave the other sources out."""
    path = company.config / "sources.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text[: text.index("  helpdesk:")], encoding="utf-8")


def test_try_shows_records_and_writes_nothing(company: Cli) -> None:
    before = content(company.store)
    result = company("try", "crm", "--stream", "companies", "--limit", "2")
    assert result.exit_code == 0
    assert result.stdout.count("Company(") == 2
    assert "crm companies" in result.stdout
    assert "contacts" not in result.stdout
    assert content(company.store) == before


def test_try_maps_rows_that_are_here_without_asking_the_vendor(company: Cli, tmp_path: Path) -> None:
    company.environment["HUBSPOT_TOKEN"] = "pat-that-nobody-takes"
    shipped = company("try", "crm", "--replay", "fixtures", "--stream", "deals")
    assert (shipped.exit_code, "Opportunity(" in shipped.stdout) == (0, True)
    assert "would be quarantined" in shipped.stderr
    saved = tmp_path / "saved.jsonl"
    saved.write_text(
        '{"id": "7", "properties": {}, "createdAt": "2026-01-01T00:00:00Z", "updatedAt": "2026-01-02T00:00:00Z"}\n'
    )
    assert "Contact(" in company("try", "crm", "--replay", str(saved), "--stream", "contacts").stdout
    meant = "cshub try crm --replay"
    for given, said in (
        (("--replay", "crm"), f"did you mean: {meant}"),
        (("--replay", "fixtures"), "which source? There are: billing, crm, "),
        (("crm", "--replay", "deals"), "there is no file 'deals': what stands behind --replay is a FILE or the word fixtures"),
        (("crm", "--replay", "deals"), f"; did you mean: {meant} --stream deals"),
        (("crm", "--replay", "."), "there is no file '.'"),
        (("crm", "--replay="), "there is no file ''"),
        (("billing", "--replay", "fixtures", "--stream", "crm"), "billing has no stream 'crm'; it has: rows"),
    ):  # fmt: skip
        refused = company("try", *given)
        assert (refused.exit_code in (1, 2), said in refused.stderr) == (True, True), refused.stderr
    two = company("try", "crm", "--replay", "fixtures", "--stream", "deals", "--stream", "contacts").stdout
    assert ("Opportunity(" in two, "Contact(" in two, "Company(" in two) == (True, True, False)
    unclear = company("try", "crm", "--replay", str(saved))
    assert (unclear.exit_code, "--stream is one of: companies, contacts, deals" in unclear.stderr) == (1, True)
    empty = company("try", "crm", "--replay")
    assert (empty.exit_code, "has no rows as they came: set raw_log" in empty.stderr) == (1, True)


def test_try_names_the_sources_and_streams_there_are(company: Cli) -> None:
    result = company("try", "crn")
    assert (result.exit_code, result.stderr) == (
        1,
        "no source 'crn' is enabled; there are: billing, crm, helpdesk, invoices, nps, usage\n",
    )
    result = company("try", "crm", "--stream", "deal")
    assert (result.exit_code, result.stderr) == (
        1,
        "crm has no stream 'deal'; it has: companies, contacts, deals\n",
    )


def test_a_source_that_only_receives_says_where_and_what_came(company: Cli) -> None:
    path = company.config / "sources.yaml"
    answers = "  answers:\n    connector: npshook\n    settings: {webhook_secret: whsec_bm90LWEtcmVhbC1zZWNyZXQ=}\n"
    tracking = "  tracking:\n    connector: segment\n    settings: {write_key: wk_not_a_real_key_1}\n"
    path.write_text(path.read_text(encoding="utf-8") + answers + tracking, encoding="utf-8")
    nothing = company("try", "answers")
    assert "rows are sent to http://127.0.0.1:8000/hooks/answers\n" in nothing.stdout
    assert nothing.stdout.endswith("nothing came in the last 7 days\n")
    assert "http://127.0.0.1:8000/hooks/tracking (and, as its libraries do, to http://127.0.0.1:8000/v1)" in (
        company("try", "tracking").stdout
    )
    row = row_of("answers", event_id="1", stream="responses", raw={"score": 9}, now=utc_now(), due_at=utc_now())
    with sqlite3.connect(company.store) as connection:
        names = [name for name in row if name != "raw"]
        values = [str(row[name]) if isinstance(row[name], datetime) else row[name] for name in names]
        connection.execute(
            f"INSERT INTO source_event ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})", values
        )
    came = company("try", "answers", "--stream", "responses")
    assert re.search(r"responses +1 +1 +0 +20\d\d-", came.stdout), came.stdout
    assert company("try", "answers", "--stream", "rows").stderr == "answers has no stream 'rows'; it has: responses\n"
    compared = company("sync", "answers", "--reconcile")
    assert compared.exit_code == 0
    assert "answers responses: only receives: there is nobody to compare it with\n" in compared.stdout
    assert "WARNING" not in compared.output


def test_a_wrong_secret_is_said_without_it(company: Cli) -> None:
    company.environment["HUBSPOT_TOKEN"] = "pat-very-secret"
    tried = company("try", "crm", "--stream", "companies")
    assert tried.exit_code == 1
    assert "crm companies: " in tried.stderr
    synced = company("sync", "crm")
    assert synced.exit_code == 1
    assert "denied" in synced.stdout
    status = company("sync", "--status")
    for result in (tried, synced, status):
        assert "very-secret" not in result.output
        assert "Traceback" not in result.output
    assert ask(company.store, "SELECT count(*) FROM customer") == [(0,)]


def test_without_sources_there_is_nothing_to_sync(cli: Cli) -> None:
    result = cli("sync")
    assert result.exit_code == 1
    assert result.stderr.startswith("no source is enabled; see ")
    assert cli("sync", "--status").stdout == "no source is configured\n"


def test_score_and_train_on_an_empty_store_say_what_to_do(cli: Cli) -> None:
    result = cli("score", "--no-fire")
    assert (result.exit_code, result.stdout) == (
        0,
        "There are no customers yet, so nothing was scored. `cshub sync` brings them.\n",
    )
    assert ask(cli.store, "SELECT count(*) FROM scorecard") == [(0,)]
    result = cli("train")
    assert result.exit_code == 0
    assert "0 customers have left so far" in result.stdout


def test_sync_tells_what_each_source_did_and_what_waits_once(company: Cli) -> None:
    assert re.search(r"crm +hubspot +never +never ran +never +0", company("sync", "--status").stdout)

    result = company("sync")
    assert result.exit_code == 0, result.output
    assert "crm: 12 customers created\n" in result.stdout
    assert "ambiguous (held" not in result.stdout
    [(ambiguous,)] = ask(company.store, "SELECT count(*) FROM external_id WHERE state = 'ambiguous'")
    assert int(str(ambiguous)) > 0
    told = [line for line in result.stdout.splitlines() if line.endswith("cshub identity list")]
    assert [line.split()[0] for line in told] == [str(ambiguous)]
    assert re.search(r"✓ crm companies .* 12 rows", result.stdout)
    status = company("sync", "--status").stdout
    assert re.search(r"crm +hubspot +\d+ min ago +succeeded +\d+ min ago +0 .*\d of \d+", status), status
    assert len(status.splitlines()) == 20, "a row for each of 6 sources and 12 streams, and two heads"

    again = company("sync", "crm", "billing")
    assert again.exit_code == 0
    assert re.search(r"✓ billing rows .* 0 rows", again.stdout)
    assert "1/1" not in again.stdout
    assert "customers created" not in again.stdout
    assert "companies matched" not in again.stdout


def test_a_person_decides_whose_a_company_is(company: Cli) -> None:
    company("sync")
    [(evidence, name), *rest] = ask(
        company.store, "SELECT id, candidates FROM external_id WHERE state = 'ambiguous' ORDER BY source, key"
    )
    listed = company("identity", "list").stdout
    assert str(evidence) in listed
    assert listed.splitlines()[-1] == f"{len(rest) + 1} ambiguous"
    candidate = str(name).strip('[]"').split('", "')[0].split('","')[0]
    assert candidate in listed

    result = company("identity", "decide", str(evidence), "cus_nope", "--by", "ann")
    assert result.exit_code == 1
    assert result.stderr.startswith("no customer 'cus_nope'; candidates: cus_")
    assert company("identity", "decide", str(evidence), "--by", "ann").exit_code == 2
    assert company("identity", "decide", str(evidence), candidate, "--nobody", "--by", "ann").exit_code == 2
    result = company("identity", "decide", "crm:none", candidate, "--by", "ann")
    assert result.exit_code == 1
    assert str(evidence) in result.stderr
    assert ask(company.store, "SELECT count(*) FROM external_id WHERE decided_by IS NOT NULL") == [(0,)]

    result = company("identity", "decide", str(evidence), candidate, "--by", "ann")
    assert re.fullmatch(rf"{re.escape(str(evidence))} is {candidate}; \d+ records moved\n", result.stdout)
    assert ask(company.store, f"SELECT state, customer_id, decided_by FROM external_id WHERE id = '{evidence}'") == [
        ("matched", candidate, "ann")
    ]
    for other, _ in rest:
        decided = company("identity", "decide", str(other), "--nobody", "--by", "ann")
        assert decided.stdout.startswith(f"{other} is nobody; ")
    assert company("identity", "list").stdout.splitlines()[-1] == "no company is ambiguous"
    assert "cshub identity list\n" not in company("sync", "crm").stdout


def test_firing_by_hand_is_a_dry_run_unless_told(company: Cli, vendors: Sandboxes) -> None:
    crm_only(company)
    company("sync")
    scored = company("score", "--no-fire")
    assert scored.stdout.startswith("12 customers scored as of ")
    assert (
        "the churn risk is the rate of all customers, for there is no model: none has been trained\n" in scored.stderr
    )
    [(customer,)] = ask(company.store, "SELECT id FROM customer ORDER BY id LIMIT 1")
    before, sent = content(company.store), received(vendors)

    for id_ in (str(customer), global_id("customer", str(customer))):
        result = company("playbook", "fire", "churn_save", id_)
        assert result.exit_code == 0, result.output
        assert f"({customer}): would fire\n" in result.stdout
        assert "  slack to #cs-alerts\n" in result.stdout
        assert "  email to " in result.stdout
        assert "Agree a save plan with" in result.stdout
        assert result.stdout.endswith("Nothing was sent: this was a dry run. --send really does it.\n")
    assert (content(company.store), received(vendors)) == (before, sent)

    result = company("playbook", "fire", "churn_saev", str(customer))
    assert result.exit_code == 1
    assert "churn_engagement, churn_medium, churn_offer, churn_save, " in result.stderr
    result = company("playbook", "fire", "churn_save", "cus_nope")
    assert (result.exit_code, result.stderr) == (
        1,
        "no customer has the id, domain or name 'cus_nope'; a name must be whole\n",
    )
    assert company("playbook", "fire", "churn_save").exit_code == 2
    assert (content(company.store), received(vendors)) == (before, sent)


def test_fired_with_send_is_a_run_and_the_same_key_is_no_second_one(company: Cli) -> None:
    crm_only(company)
    company("sync")
    company("score", "--no-fire")
    [(customer,)] = ask(company.store, "SELECT id FROM customer ORDER BY id LIMIT 1")
    fired = company("playbook", "fire", "churn_save", str(customer), "--send", "--key", "k1", "--by", "ann")
    assert re.search(rf"\({customer}\): fired, run run_[0-9a-f]+\n", fired.stdout)
    assert "dry run" not in fired.stdout
    again = company("playbook", "fire", "churn_save", str(customer), "--send", "--key", "k1", "--by", "ann")
    assert "already fired by the same key, run run_" in again.stdout
    resting = company("playbook", "fire", "churn_save", str(customer), "--send", "--key", "k2")
    assert re.search(r": resting\n  left alone until .* UTC; --force fires nevertheless", resting.stdout)
    assert ask(company.store, "SELECT cause, started_by FROM playbook_run") == [("hand", "ann")]


def test_playbooks_are_listed(cli: Cli) -> None:
    listed = cli("playbook", "list").stdout
    assert re.search(
        r"churn_save +2 +Save a customer at risk +scorecard +7 +slack, email, pagerduty, alert, task, playbook, wait",
        listed,
    )


def test_a_source_that_breaks_off_is_a_failed_sync_that_says_why(company: Cli, vendors: Sandboxes) -> None:
    crm_only(company)
    vendors.faults["hubspot"].html = 10_000
    try:
        result = company("try", "crm", "--stream", "companies")
    finally:
        vendors.faults["hubspot"].html = Faults().html
    assert result.exit_code == 1
    assert result.stderr.startswith("crm companies: ")


def test_sources_are_compared_and_mapped_again(company: Cli) -> None:
    path = company.config / "sources.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("  crm:\n", "  crm:\n    raw_log: {days: 7}\n", 1), encoding="utf-8")
    crm_only(company)
    assert company("sync", "--all").exit_code == 0
    status = company("sync", "--status")
    assert "complete up to" in status.stdout
    assert "unknown" in status.stdout, "nothing was compared yet"
    replayed = company("sync", "crm", "--replay", "--dry-run")
    assert replayed.exit_code == 0, replayed.output
    rows = [line.split() for line in replayed.stdout.splitlines() if line.startswith("crm ")]
    assert {row[1] for row in rows} == {"companies", "contacts", "deals"}
    assert all(row[2] == row[5] != "0" and row[3] == row[4] == row[6] == "0" for row in rows), "nothing would change"
    assert ask(company.store, "SELECT count(DISTINCT stream) FROM raw_row") == [(3,)]
    ask_twice = company("sync", "crm", "--replay", "--reconcile")
    assert (ask_twice.exit_code, "--reconcile and --replay do not go together" in ask_twice.stderr) == (2, True)
    assert "--dry-run goes with" in company("sync", "--dry-run").stderr
    compared = company("sync", "crm", "--reconcile", "--dry-run")
    assert "crm: nothing was changed" in compared.stdout
    assert company("sync", "crm", "--replay", "--quarantine").exit_code == 0

"""`cshub playbook`: what there is, firing, answering, the kill switch, and events; and what `cshub check` says of names."""

import asyncio
import re
from datetime import date
from typing import Any

import pytest

from hub.clock import utc_now
from hub.delivery.webhook import new_secret
from hub.model.actions import Run, RunState
from hub.playbooks.hooking import take
from hub.store import Store, approvals, audit, runs
from hub.store.tables import customer, scorecard
from schema.nodes import global_id
from tests.cli.conftest import Cli

ASK = """
playbook: ask
version: 3
title: Ask first
when: {health: {lt: 0.5}}
rest: 30 days
holdout: 10 %
do:
  - approve: {ask: "May {{ customer.name }} have it?", of: ann@example.com}
  - update: {offer: made}
  - task: {title: "Offer to {{ customer.name }}", off: true}
examples: [{facts: {health: 0.4}, fires: true}, {facts: {health: 0.5}, fires: false}]
"""
BILLED = """
playbook: billed
version: 1
title: A payment failed
by: {webhook: billing}
rest: 1 day
do: [{task: {title: Call}}]
"""
HUB = f"""
store: ${{CSHUB_STORE}}
hooks: {{billing: {{secret: {new_secret()}}}}}
pagerduty: {{services: {{cs: {"k" * 32}}}}}
webhooks: {{endpoints: {{crm: {{url: "https://crm.example.com", secret: {new_secret()}}}}}}}
airflow: {{services: {{data: {{url: "https://airflow.example.com", token: t}}}}}}
prefect: {{services: {{flows: {{url: "https://prefect.example.com/api"}}}}}}
"""


def within(cli: Cli, work: Any) -> Any:
    async def run() -> Any:
        async with Store.open(f"sqlite:///{cli.store}") as store:
            return await work(store)

    return asyncio.run(run())


@pytest.fixture
def small(cli: Cli) -> Cli:
    """Two playbooks, and a customer of whom one would fire."""
    cli.write("playbooks/ask.yaml", ASK)
    cli.write("playbooks/billed.yaml", BILLED)
    cli.write("hub.yaml", HUB)

    async def fill(store: Store) -> None:
        now = utc_now()
        async with store.transaction() as connection:
            row = {"id": "acme", "name": "Acme", "csm_email": "ann@example.com", "created_at": now, "updated_at": now}
            await connection.execute(customer.insert(), [row])
            card = {"id": "acme", "customer_id": "acme", "as_of": date(2026, 11, 1), "health": 0.4, "coverage": 1.0}
            more = {"facts": {}, "readings": [], "definition_hash": "x", "computed_at": now, "latest": True}
            await connection.execute(scorecard.insert(), [card | more])

    within(cli, fill)
    return cli


def runs_of(cli: Cli) -> list[Run]:
    async def find(store: Store) -> list[Run]:
        async with store.reading() as connection:
            return await runs.find_runs(connection)

    found: list[Run] = within(cli, find)
    return found


def test_the_list(small: Cli) -> None:
    shown = small("playbook", "list")
    assert shown.exit_code == 0, shown.output
    assert re.search(r"ask\s+3\s+Ask first\s+scorecard\s+30\s+10 %\s+approve, update, task", shown.output)
    assert re.search(r"billed\s+1\s+A payment failed\s+webhook\s+1\s+task", shown.output)
    assert small("playbook", "stop", "billed", "--reason", "too much", "--by", "ann").exit_code == 0
    assert re.search(r"billed .* ann: too much\s+task", small("playbook", "list").output)


def test_a_playbook_in_words(small: Cli) -> None:
    assert small("playbook", "show", "ask").output.splitlines() == [
        "ask, version 3: Ask first",
        "set off by scorecard, where health is below 0.5",
        "rests 30 days; severity normal; speaks about ask",
        "10 % of customers are held out",
        (
            "  0 approve asks ann@example.com: May {{ customer.name }} have it? Waits 3 days for an answer; declined it ends, "
            "unanswered it ends"
        ),
        "  1 update offer becomes made",
        "  2 task switched off: Offer to {{ customer.name }} (normal, owner csm)",
    ]
    missing = small("playbook", "show", "nope")
    assert (missing.exit_code, missing.output) == (
        1,
        "there is no run and no playbook 'nope'; playbooks are: ask, billed\n",
    )


def test_runs_and_what_they_ask_are_found(small: Cli) -> None:
    small("playbook", "fire", "ask", "acme", "--send", "--by", "ann")
    (run,) = runs_of(small)
    assert f"{run.id}  ask v3    Acme      running" in small("playbook", "runs").output

    async def move(store: Store) -> None:
        now = utc_now()
        async with store.transaction() as connection:
            row = {"id": f"{run.id}:0", "run_id": run.id, "step": 0, "customer_id": "acme", "question": "May it?"}
            more = {"asked_of": "ann@example.com", "state": "open", "asked_at": now, "expires_at": None}
            await approvals.ask(connection, [row | more])
            step = {"run_id": run.id, "step": 0, "error": None, "finished_at": None}
            wait = {"state": "waiting", "wake_at": now, "awaits": "approval", "since": now, "updated_at": now}
            await runs.move(connection, [{"id": run.id, **step, **wait}])

    within(small, move)
    asking = small("playbook", "runs", "ask", "--asking", "--customer", global_id("customer", "acme")).output
    assert f"asks ann@example.com: May it? (cshub playbook approve {run.id})" in asking
    assert run.id not in small("playbook", "runs", "--state", "done").output
    shown = small("playbook", "show", run.id).output.splitlines()
    assert shown[0] == f"{run.id}: ask version 3 for Acme"
    assert shown[1].startswith("set off by hand by ann, ")
    assert shown[2].startswith("waits for an answer; looks again ")
    assert shown[3] == f"asks ann@example.com: May it? (cshub playbook approve {run.id})"
    assert shown[4].endswith(" <- here")
    assert small("playbook", "stop", "--all", "--reason", "no", "--by", "ann").exit_code == 0
    assert "stands still, stopped by ann: no; waits for an answer" in small("playbook", "runs").output


def test_a_broken_configuration_keeps_nobody_from_stopping(small: Cli) -> None:
    small.write("playbooks/broken.yaml", "playbook: [")
    small.write("hub.yaml", "store: ${CSHUB_STORE}\nslack: {token: '${NO_SUCH_TOKEN}'}\n")
    assert small("playbook", "list").exit_code == 2
    done = small("playbook", "stop", "--all", "--reason", "it went wrong", "--by", "ann")
    assert (done.exit_code, done.output) == (0, "All playbooks are stopped.\n")
    assert small("playbook", "stop", "ask", "--reason", "no").exit_code == 2, (
        "it never ran, and nobody can say it is there"
    )


def test_a_dry_run_shows_what_would_be_done_and_does_nothing(small: Cli) -> None:
    shown = small("playbook", "fire", "ask", "Acme")
    assert shown.exit_code == 0, shown.output
    assert shown.output.splitlines() == [
        "Acme (acme): would fire",
        "  approve asks ann@example.com: May Acme have it? Waits 3 days for an answer; declined it ends, unanswered it ends",
        "  update offer becomes made",
        "  task switched off",
        "Nothing was sent: this was a dry run. --send really does it.",
    ]
    assert runs_of(small) == []


def test_fired_once_a_key_and_then_it_rests(small: Cli) -> None:
    first = small("playbook", "fire", "ask", global_id("customer", "acme"), "--send", "--key", "k", "--by", "ann")
    (run,) = runs_of(small)
    assert first.output.splitlines()[0] == f"Acme (acme): fired, run {run.id}"
    assert (run.cause, run.started_by, run.episode) == ("hand", "ann", "hand:k")
    again = small("playbook", "fire", "ask", "acme", "--send", "--key", "k").output
    assert again.splitlines() == [f"Acme (acme): already fired by the same key, run {run.id}"]
    other = small("playbook", "fire", "ask", "acme", "--send").output
    assert "Acme (acme): resting" in other
    assert "--force fires nevertheless" in other
    assert small("playbook", "fire", "ask", "acme", "--send", "--force").exit_code == 0
    assert len(runs_of(small)) == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nope", "acme"), "there is no playbook 'nope'; there are: ask, billed"),
        (("ask", "nobody"), "no customer has the id, domain or name 'nobody'"),
    ],
)
def test_what_is_not_there_is_said(small: Cli, arguments: tuple[str, ...], said: str) -> None:
    shown = small("playbook", "fire", *arguments, "--send")
    assert shown.exit_code != 0
    assert said in shown.output
    assert runs_of(small) == []


def test_an_answer_needs_a_run_that_asks(small: Cli) -> None:
    assert "there is no playbook run 'run_x'" in small("playbook", "approve", "run_x").output
    small("playbook", "fire", "ask", "acme", "--send")
    (run,) = runs_of(small)
    refused = small("playbook", "approve", run.id)
    assert refused.exit_code != 0
    assert "the run asks for no approval now: it is running" in refused.output


@pytest.mark.parametrize(("flag", "said"), [((), "approved"), (("--decline", "--note", "too dear"), "declined")])
def test_a_question_is_answered_once(small: Cli, flag: tuple[str, ...], said: str) -> None:
    small("playbook", "fire", "ask", "acme", "--send")
    (run,) = runs_of(small)
    within(small, lambda store: asked(store, run.id))
    shown = small("playbook", "approve", global_id("playbook_run", run.id), "--by", "bo@example.com", *flag)
    assert shown.output.splitlines() == [f"ask: {said}; the run goes on in a running hub."]
    again = small("playbook", "approve", run.id)
    assert again.exit_code != 0
    assert "it was answered already" in again.output


async def asked(store: Store, run_id: str) -> None:
    """Move the run to its question, as a worker would."""
    now = utc_now()
    async with store.transaction() as connection:
        change = {"id": run_id, "step": 0, "state": RunState.WAITING.value, "wake_at": now, "awaits": "approval"}
        await runs.move(connection, [change | {"since": now, "updated_at": now}])
        row = {"id": f"{run_id}:0", "run_id": run_id, "step": 0, "customer_id": "acme", "question": "May it?"}
        await approvals.ask(
            connection, [row | {"asked_of": None, "state": "open", "asked_at": now, "expires_at": None}]
        )


def test_the_kill_switch(small: Cli) -> None:
    small("playbook", "fire", "ask", "acme", "--send")
    stopped = small("playbook", "stop", "ask", "--reason", "wrong people", "--by", "ann")
    assert (stopped.exit_code, stopped.output) == (0, "ask is stopped.\n")
    assert small("playbook", "stop", "ask", "--reason", "again").output == "ask is stopped already.\n"
    refused = small("playbook", "fire", "ask", "acme", "--send", "--force")
    assert refused.exit_code != 0
    assert "ask is stopped by ann: wrong people" in refused.output
    assert small("playbook", "stop", "--all", "--reason", "fire").output == "All playbooks are stopped.\n"
    assert small("playbook", "start", "ask").output.splitlines() == [
        "The stop of ask is lifted.",
        "Still, all playbooks are stopped by command line: fire",
    ]
    assert small("playbook", "start", "--all").output == "The stop of all is lifted.\n"
    assert "ask is not stopped; stopped is: nothing" in small("playbook", "start", "ask").output
    (run,) = runs_of(small)
    assert run.state is RunState.RUNNING


def test_stopping_may_end_what_runs(small: Cli) -> None:
    small("playbook", "fire", "ask", "acme", "--send")
    shown = small("playbook", "stop", "ask", "--reason", "wrong people", "--cancel", "--by", "ann")
    assert shown.output.splitlines() == ["ask is stopped.", "1 runs were ended, 0 messages withdrawn."]
    (run,) = runs_of(small)
    assert (run.state, run.error) == (RunState.CANCELLED, "stopped by ann: wrong people")

    async def entries(store: Store) -> list[tuple[str, str]]:
        async with store.reading() as connection:
            return [(each.action, each.actor) for each in await audit.find_latest(connection)]

    assert ("playbookStop", "ann") in within(small, entries)


@pytest.mark.parametrize("command", ["stop", "start"])
@pytest.mark.parametrize("names", [(), ("ask", "--all")])
def test_a_name_or_all(small: Cli, command: str, names: tuple[str, ...]) -> None:
    reason = ("--reason", "x") if command == "stop" else ()
    shown = small("playbook", command, *names, *reason)
    assert shown.exit_code == 2
    assert "Give either the NAME of a playbook, or --all." in shown.output


def test_a_stop_needs_a_reason_and_a_playbook(small: Cli) -> None:
    assert small("playbook", "stop", "ask").exit_code == 2
    assert "there is no playbook 'nope'" in small("playbook", "stop", "nope", "--reason", "x").output


def test_events_and_taking_one_after_all(small: Cli) -> None:
    payloads = {"e1": {"type": "invoice.failed", "customer": "acme"}, "e2": {"type": "x", "customer": "bolt"}}

    async def hear(store: Store) -> list[str]:
        return [
            (await take(store, "billing", event_id=id_, payload=payload, now=utc_now())).id
            for id_, payload in payloads.items()
        ]

    taken, refused = within(small, hear)
    both = small("playbook", "events").output
    assert (taken in both, refused in both) == (True, True)
    shown = small("playbook", "events", "--refused", "--hook", "billing").output
    assert (taken in shown, refused in shown, "no customer is known as 'bolt'" in shown) == (False, True, True)
    assert (
        small("playbook", "events", "--retry", refused).output
        == f"{refused}: refused: no customer is known as 'bolt'\n"
    )

    async def add(store: Store) -> None:
        async with store.transaction() as connection:
            now = utc_now()
            row = {"id": "bolt", "name": "Bolt", "created_at": now, "updated_at": now}
            await connection.execute(customer.insert(), [row])

    within(small, add)
    assert small("playbook", "events", "--retry", refused).output == f"{refused}: accepted\n"
    assert "there is no event 'evt_x'" in small("playbook", "events", "--retry", "evt_x").output


NAMES = """
playbook: names
version: 1
title: Names
by: {webhook: HOOK}
do:
  - pagerduty: {service: PAGER, summary: Look}
  - webhook: {endpoint: ENDPOINT, event: a.b}
  - airflow: {service: FLOW, dag: x}
  - prefect: {service: PREFECT, deployment: a/b}
"""
GOOD = {"HOOK": "billing", "PAGER": "cs", "ENDPOINT": "crm", "FLOW": "data", "PREFECT": "flows"}


def named(**changes: str) -> str:
    text = NAMES
    for word, name in (GOOD | changes).items():
        text = text.replace(word, name)
    return text


def test_check_knows_the_names_of_hub_yaml(small: Cli) -> None:
    small.write("playbooks/names.yaml", named())
    shown = small("check")
    assert (shown.exit_code, shown.stderr) == (0, "")


@pytest.mark.parametrize(
    ("word", "fault"),
    [
        ("HOOK", "playbook names: by.webhook: config/hub.yaml has no hook 'nope' (choices: billing)"),
        ("PAGER", "playbook names: do.0.pagerduty: config/hub.yaml has no pagerduty 'nope' (choices: cs)"),
        ("ENDPOINT", "playbook names: do.1.webhook: config/hub.yaml has no webhook 'nope' (choices: crm)"),
        ("FLOW", "playbook names: do.2.airflow: config/hub.yaml has no airflow 'nope' (choices: data)"),
        ("PREFECT", "playbook names: do.3.prefect: config/hub.yaml has no prefect 'nope' (choices: flows)"),
    ],
)
def test_check_finds_a_name_nobody_knows(small: Cli, word: str, fault: str) -> None:
    small.write("playbooks/names.yaml", named(**{word: "nope"}))
    shown = small("check")
    assert (shown.exit_code, shown.stderr.splitlines()[0]) == (2, fault)
    if word != "HOOK":
        small.write("playbooks/names.yaml", re.sub(r"nope", "nope, optional: true", named(**{word: "nope"})))
        assert small("check").exit_code == 0


def test_check_finds_a_step_of_onboarding_that_was_renamed(small: Cli) -> None:
    given = named().replace(
        "{webhook: billing}", "{change: {onboarding_step: {not: [hello]}}, from: [account_setup, tour]}"
    )
    small.write(
        "playbooks/names.yaml",
        given + "examples: [{facts: {onboarding_step: tour}, fires: true}, {facts: {}, fires: false}]\n",
    )
    shown = small("check")
    (first, second) = [line for line in shown.stderr.splitlines() if "onboarding_step" in line]
    assert shown.exit_code == 2
    assert first.startswith(
        "playbook names: by.change.onboarding_step: no programme of config/lifecycle.yaml has a step 'hello'"
    )
    assert "has a step 'tour'" in second
    small.write("lifecycle.yaml", "onboarding: {enabled: false}\n")
    assert small("check").exit_code == 0


def test_check_notes_what_is_not_set_up_at_all(small: Cli) -> None:
    small.write("playbooks/names.yaml", named())
    small.write("hub.yaml", "store: ${CSHUB_STORE}\n")
    shown = small("check")
    assert shown.exit_code == 0
    assert shown.stderr.splitlines() == [
        "note: playbook names sends to airflow, pagerduty, prefect, webhook, which config/hub.yaml does not set up",
        "note: playbook billed heeds the webhook billing, and config/hub.yaml has no hooks",
        "note: playbook names heeds the webhook billing, and config/hub.yaml has no hooks",
    ]


def test_help_names_every_command(small: Cli) -> None:
    shown = small("playbook", "--help").output
    for command in ("approve", "events", "fire", "list", "plan", "report", "start", "stop"):
        assert re.search(rf"^  {command}\b", shown, re.MULTILINE), command

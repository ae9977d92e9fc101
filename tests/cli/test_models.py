"""`cshub model` and `cshub postmortem` as people read them."""

import asyncio
import json
import sqlite3
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from hub.cli import model as model_commands
from hub.cli import postmortem as postmortem_commands
from hub.store import Store
from tests.cli.conftest import Cli
from tests.training.books import JULY, NOW, TODAY, fill, guesses, knows, model, say


@pytest.fixture(autouse=True)
def today(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (model_commands, postmortem_commands):
        monkeypatch.setattr(module, "utc_now", lambda: NOW)


def given(cli: Cli, *steps: Callable[[Store], Awaitable[object]]) -> None:
    async def run() -> None:
        async with Store.open(f"sqlite:///{cli.store}") as store:
            for step in steps:
                await step(store)

    asyncio.run(run())


async def rivals(store: Store) -> None:
    await fill(store)
    await model(store, "old", role="champion", rate=0.3)
    await model(store, "new", role="challenger", rate=0.3)
    await say(store, "old", JULY, guesses)
    await say(store, "new", JULY, knows)


def audit(cli: Cli) -> list[tuple[str, str, str, str]]:
    connection = sqlite3.connect(cli.store)
    try:
        found = connection.execute(
            "SELECT actor, action, subject, detail FROM audit_record WHERE kind = 'outcome' ORDER BY number"
        ).fetchall()
    finally:
        connection.close()
    return [(actor, action, subject, json.loads(detail)["outcome"]) for actor, action, subject, detail in found]


def test_a_registry_without_models_says_what_to_do(cli: Cli) -> None:
    assert "no model has been trained yet: cshub train" in cli("model", "list").stdout
    assert cli("model", "compare").stdout.endswith("a training makes one where there is a champion\n")
    assert cli("model", "drift").stdout == "there is no champion yet: cshub train\n"
    result = cli("model", "rollback")
    assert (result.exit_code, result.stderr) == (1, "there is no champion of 90d, so none can be taken back\n")


def test_compare_promote_and_take_back(cli: Cli) -> None:
    given(cli, rivals)
    compared = cli("model", "compare").stdout
    assert "90d: champion old, challenger new" in compared
    assert "snapshots of 2026-07-01, stored predictions of both" in compared
    assert "better beyond noise" in compared
    promoted = cli("model", "promote", "new", "--by", "ann")
    assert promoted.stdout.startswith("new is the champion of 90d now; before it was old\n")
    assert "new" in cli("model", "list").stdout
    assert "old" not in cli("model", "list").stdout.replace("old is", "")
    shown = cli("model", "show", "new").stdout
    assert shown.startswith("new: champion of 90d, trained on 2026-05-01\n")
    assert "2026-11-22 by_hand by ann, for old" in shown
    back = cli("model", "rollback", "--by", "bea", "--reason", "odd lists")
    assert back.stdout == "old is the champion of 90d again; new is retired\n"
    assert "taken back on 2026-11-22" in cli("model", "show", "new").stdout
    assert "odd lists" in cli("model", "show", "old").stdout
    assert sorted(audit(cli)) == [
        ("ann", "churnModelPromote", "new", "done"),
        ("bea", "churnModelRollback", "90d", "done"),
    ]


def test_a_refusal_shows_the_numbers_and_is_in_the_audit_log(cli: Cli) -> None:
    given(cli, fill, lambda store: model(store, "old", role="champion"), lambda store: model(store, "new"))
    result = cli("model", "promote", "new", "--by", "ann")
    assert result.exit_code == 1
    assert "new is not better than the champion old beyond noise" in result.stderr
    assert "log-loss      champion" in result.stderr
    [(actor, action, subject, outcome)] = audit(cli)
    assert (actor, action, subject) == ("ann", "churnModelPromote", "new")
    assert outcome.startswith("refused: new is not better")
    forced = cli("model", "promote", "new", "--force")
    assert (forced.exit_code, forced.stderr) == (1, "a promotion against the numbers needs a reason\n")
    assert cli("model", "promote", "new", "--force", "--reason", "we know better").exit_code == 0


def test_drift_says_what_it_looked_at_and_what_it_could_not(cli: Cli) -> None:
    given(cli, rivals)
    assert cli("model", "drift").stdout.startswith("90d: old: not checked yet\n")
    checked = cli("model", "drift", "--check").stdout
    assert "90d: old: act" in checked  # who says the same of everybody tells nobody apart
    assert "steady  30 left where 30.0 were expected: 1.00 times" in checked
    assert "old is the book's own rate, which has no features to drift" in checked
    assert "30 left where 30.0" in cli("model", "drift", "--horizon", "90d").stdout
    assert cli("model", "drift", "--horizon", "30d").stdout == "there is no champion of 30d yet: cshub train\n"


def test_post_mortems_of_all_and_of_one(cli: Cli) -> None:
    given(cli, fill)
    book = cli("postmortem").stdout
    assert "C000" in book
    assert "everybody" in book
    assert "of 30 who left, before they gave notice, and of 70 who stayed" in " ".join(book.split())
    one = cli("postmortem", "c000").stdout
    assert one.startswith(
        "C000 left on 2026-08-15: nothing had been noted in the year before; it never had a scorecard.\n"
        "voluntary churn of 2026-08-15\n"
    )
    assert "90 days before" in one
    plain = json.loads(cli("postmortem", "--since", "2026-08-01", "--json").stdout)
    assert plain["everybody"]["churned"] == len(plain["customers"]) == 30
    assert plain["everybody"]["share_green"] is None
    assert [each["kind"] for each in plain["signs"][:2]] == ["any", "band_warning"]
    assert {(each["left_with"], each["left"], each["stayed_with"], each["stayed"]) for each in plain["signs"]} == {
        (0, 30, 0, 70)
    }
    assert plain["customers"][0]["churned_on"] == "2026-08-15"
    later = (TODAY - timedelta(days=40)).isoformat()
    assert json.loads(cli("postmortem", "--since", later, "--json").stdout)["customers"] == []
    assert cli("postmortem", "--since", later).stdout == (
        f"nobody has left since {later}, or not for certain: that takes 30 days\n"
    )
    assert cli("postmortem", "c099").stdout == "c099 has not left, or not for certain: that takes 30 days\n"
    nobody = cli("postmortem", "nobody")
    assert (nobody.exit_code, nobody.stderr) == (1, "no customer is called 'nobody', by id, domain or whole name\n")

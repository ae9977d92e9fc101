"""Plans: whom a playbook would have fired for on a handmade past, by every kind of trigger, and what is told of it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from hub.errors import RefusedError
from hub.model.records import Severity, Ticket, TicketStatus
from hub.playbooks.rehearsal import Plan, markdown
from hub.store import Store
from scoring.levels import Scale
from tests.playbooks.conftest import Folder
from tests.playbooks.rehearsing import PLAIN, TODAY, Past, at, day, plan, steady

WATCH = Scale(
    names=("clear", "warning", "critical"),
    limits=(0.5, 0.3),
    worse="below",
    holds=(timedelta(hours=20), timedelta(0)),
    margin=0.05,
    recovery=timedelta(hours=20),
    memory=timedelta(days=14),
)


def fired(found: Plan) -> dict[str, object]:
    return {each.customer_id: each.day for each in found.examples}


async def test_it_fires_when_the_condition_holds_and_rests(store: Store, folder: Folder) -> None:
    past = Past(store)
    await past.customers("ann", "bob", "cia")
    days = range(29, -1, -1)
    await past.scores("ann", {ago: 0.4 if ago <= 20 else 0.8 for ago in days})
    await past.scores("bob", {ago: 0.4 if ago in (5, 4) else 0.8 for ago in days}, csm="bea@x.example", mrr=900.0)
    await past.scores("cia", steady(0.4, days))
    before = await past.rows()
    found = await plan(store, folder, PLAIN)
    # ann 20, 10 and 0 days ago; bob 5 days ago; cia on the first day, which is a backlog, and 19 and 9 days ago
    assert (found.new.firings, found.new.customers, found.new.at_once) == (6, 3, 1)
    assert found.new.matching_now == 2
    assert found.new.messages == {"slack": 7}
    assert fired(found) == {"bob": day(5), "ann": day(0), "cia": day(9)}
    assert next(iter(found.examples)).facts == {"health": 0.4, "mrr": 900.0}
    loads = {each.csm: (each.firings, each.worst_week) for each in found.new.loads}
    # weeks begin 29, 22, 15, 8 and 1 days ago
    assert loads == {"ann@x.example": (5, 2), "bea@x.example": (1, 1)}
    assert (found.new.worst_week, found.new.worst_csm, found.new.worst_begins) == (2, "ann@x.example", day(22))
    assert found.new.csms == 2
    assert found.new.mean_a_week == pytest.approx(6 / 2 / (30 / 7))
    assert await past.rows() == before == 0


async def test_the_live_version_is_beside_it(store: Store, folder: Folder) -> None:
    past = Past(store)
    await past.customers("ann", "bob", "cia")
    days = range(29, -1, -1)
    for id_, low in (("ann", 0.45), ("bob", 0.35), ("cia", 0.55)):
        await past.scores(id_, {ago: low if ago <= 3 else 0.8 for ago in days})
    live = PLAIN.replace("version: 2", "version: 1").replace("lt: 0.5", "gte: 0.4, lt: 0.6")
    live = live.replace("health: 0.5}", "health: 0.6}")
    found = await plan(store, folder, PLAIN, live=live)
    assert found.compared is not None
    assert (found.compared.only_new, found.compared.only_live, found.compared.both) == (1, 1, 1)
    assert (found.compared.new_names, found.compared.live_names) == (("Bob",), ("Cia",))
    assert found.live is not None
    assert (found.new.firings, found.live.firings) == (2, 2)
    assert "1 only by this one, 1 only by the live one, 1 by both" in markdown(found)


async def test_a_threshold_is_crossed_and_no_backlog(store: Store, folder: Folder) -> None:
    past = Past(store)
    await past.customers("ann", "bob")
    # the scorecard before the first day of the replay counts, and missing health crosses nothing
    await past.scores("ann", {61: 0.8, 60: 0.4, 20: None, 19: 0.4, 8: 0.6, 7: 0.5, 6: 0.49})
    await past.scores("bob", {61: 0.4, 60: 0.3, 7: 0.3})
    text = PLAIN.replace("when: {health: {lt: 0.5}}", "by: {threshold: {health: {falls_below: 0.5}}}")
    text = text.replace("{facts: {health: 0.4}, ", "{facts: {health: 0.4}, before: {health: 0.6}, ")
    found = await plan(store, folder, text)
    assert (found.new.firings, found.new.at_once) == (1, 0)
    assert fired(found) == {"ann": day(6)}
    whole = await plan(store, folder, text, days=61)
    assert whole.new.firings == 2
    assert whole.new.at_once == 0


async def test_a_date_fires_once_for_each_day_it_falls_on(store: Store, folder: Folder) -> None:
    past = Past(store)
    await past.customers("ann", "bob")
    for ago in range(29, -1, -1):
        await past.scores(
            f"ann{ago}"[:3], {ago: 0.8}, days_to_renewal=float(30 + ago - 10)
        )  # 30 days before: 10 days ago
        await past.scores("bob", {ago: 0.8}, days_to_renewal=float(ago - 3))
    text = PLAIN.replace("when: {health: {lt: 0.5}}\nrest: 10 days", "by: {date: 30 days before renewal}\nrest: 0 days")
    text = text.replace("{health: 0.4}", "{days_to_renewal: 30}").replace("{health: 0.5}", "{days_to_renewal: 31}")
    found = await plan(store, folder, text)
    # bob's fell due 4 days before the first scorecard, within the week that is caught up with
    assert (found.new.firings, found.new.at_once) == (1, 1)
    assert fired(found) == {"ann": day(10), "bob": day(29)}


async def test_a_schedule_looks_at_the_newest_scorecards(store: Store, folder: Folder) -> None:
    past = Past(store)
    await past.customers("ann")
    await past.scores("ann", steady(0.4, range(29, -1, -1)))
    text = PLAIN.replace("when:", 'by: {schedule: "0 9 * * 1"}\nwhen:').replace("10 days", "1 days")
    found = await plan(store, folder, text)
    # Mondays: 1, 8, 15, 22 and 29 June; the first day of the window is 1 June
    assert day(29).isoformat() == "2026-06-01"
    assert (found.new.firings, found.new.at_once) == (4, 1)
    assert fired(found) == {"ann": day(1)}
    assert found.new.matching_now == 1


async def test_records_count_as_they_were_known(store: Store, folder: Folder) -> None:
    past = Past(store)
    await past.customers("ann", "bob")
    for id_ in ("ann", "bob"):
        await past.scores(id_, steady(0.4, range(29, -1, -1)))

    def ticket(id_: str, key: str, ago: float, severity: Severity) -> Ticket:
        version = int(at(ago).timestamp() * 1000)
        return Ticket(
            key=key,
            version=version,
            company_key=id_,
            status=TicketStatus.OPEN,
            severity=severity,
            created_at=at(ago),
        )

    await past.put(ticket("ann", "1", 20, Severity.URGENT), ticket("ann", "2", 19, Severity.URGENT))
    await past.put(ticket("ann", "3", 5, Severity.URGENT), ticket("bob", "4", 5, Severity.LOW))
    text = PLAIN.replace("when:", "by: {record: ticket, where: {severity: {eq: urgent}}}\nwhen:")
    text = text.replace("{facts: {health: 0.4}, ", "{facts: {health: 0.4}, record: {severity: urgent}, ")
    found = await plan(store, folder, text)
    assert (found.new.firings, found.new.at_once) == (2, 0)
    assert fired(found) == {"ann": day(5)}
    assert found.examples[0].facts["record.id"] == "crm:3"
    each = await plan(store, folder, text.replace("10 days", "0 days"))
    assert each.new.firings == 3


CHANGE = """
playbook: changed
version: 1
title: The watch says critical
by: {change: {watch_level: critical}}
rest: 5 days
do:
  - slack: {channel: "#alerts", template: note}
  - wait: {until: {watch_level: {eq: clear}}, at_most: 60 days}
  - email: {to: csm, template: note}
examples:
  - {facts: {watch_level: critical}, fires: true}
  - {facts: {watch_level: clear}, fires: false}
"""


async def test_states_of_the_lifecycle_are_as_they_were_that_day(store: Store, folder: Folder) -> None:
    past = Past(store)
    await past.customers("ann", "bob", "cia")
    for id_ in ("ann", "bob", "cia"):
        await past.scores(id_, steady(0.8, range(70, -1, -1)))
    kept = [("ann", None, "clear", 66), ("bob", None, "critical", 66), ("cia", None, "clear", 66)]
    moves = [
        ("ann", "clear", "critical", 20),
        ("ann", "critical", "clear", 18),
        ("ann", "clear", "critical", 16),  # still rests, and fires as soon as it does not: a change counts for a week
        ("bob", "critical", "clear", 12),
        ("cia", "clear", "critical", 25),
        ("cia", "critical", "warning", 24),
        ("cia", "warning", "critical", 10),  # its run is still open: it was never clear
    ]
    await past.changes("watch_level", *kept, *moves)
    found = await plan(store, folder, CHANGE)
    assert found.new.firings == 3
    # ann twice, and the mail when it was clear 18 days ago; cia once
    assert found.new.messages == {"email": 1, "slack": 3}
    assert fired(found) == {"ann": day(15), "cia": day(25)}
    days = PLAIN.replace("{health: {lt: 0.5}}", "{watch_level: {eq: critical}, watch_days: {gte: 3}}")
    days = days.replace("{health: 0.4}", "{watch_level: critical, watch_days: 3}").replace(
        "{health: 0.5}", "{health: 0.5}"
    )
    longer = await plan(store, folder, days)
    # ann since 16 days ago, cia since 10, bob from before the replay until 12 days ago: every ten days since its first
    assert fired(longer) == {"ann": day(3), "bob": day(20), "cia": day(7)}


async def test_days_to_a_renewal_and_other_numbers_are_as_they_were_that_day(store: Store, folder: Folder) -> None:
    past = Past(store)
    await past.customers("ann", "bob")
    for id_ in ("ann", "bob"):
        await past.scores(id_, steady(0.8, range(70, -1, -1)))
    # what write_lifecycles keeps: bob's renewal is put off 20 days ago, ann makes a step 15 days ago
    renewals = [
        ("ann", None, str(day(-20)), 66),
        ("bob", None, str(day(-10)), 66),
        ("bob", str(day(-10)), str(day(-300)), 20),
    ]
    await past.changes("renewal_on", *renewals)
    await past.changes("onboarding_progress", ("ann", None, "0.0", 66), ("ann", "0.0", "0.25", 15))
    text = PLAIN.replace("{health: {lt: 0.5}}", "{renewal_days: {lte: 40, gte: 0}, onboarding_progress: {lte: 0}}")
    text = text.replace("{health: 0.4}", "{renewal_days: 40, onboarding_progress: 0}")
    found = await plan(store, folder, text)
    assert fired(found) == {"ann": day(20)}
    either = text.replace(
        "{renewal_days: {lte: 40, gte: 0}, onb", "{renewal_days: {lte: 40, gte: 0}, not: {onb"
    ).replace("{lte: 0}}", "{lte: 0}}}")
    other = await plan(
        store, folder, either.replace("{renewal_days: 40, onboarding_progress: 0}", "{renewal_days: 40}")
    )
    # ann 15 and 5 days ago, with the step done; bob, of whom no progress is known, before the window, until it was put off
    assert (fired(other), other.new.firings) == ({"ann": day(5)}, 2)


async def test_levels_from_before_the_hub_kept_them_are_made_of_scores(store: Store, folder: Folder) -> None:
    past = Past(store)
    await past.customers("ann", "bob")
    await past.scores("ann", {ago: 0.2 if 12 <= ago <= 22 else 0.8 for ago in range(70, -1, -1)})
    await past.scores("bob", {ago: 0.2 if ago <= 8 else 0.8 for ago in range(70, -1, -1)})
    await past.changes("watch_level", ("ann", None, "clear", 5), ("bob", None, "critical", 5))
    with pytest.raises(RefusedError, match=f"watch_level since {day(5)}.*the days from {day(5)} on"):
        await plan(store, folder, CHANGE)
    found = await plan(store, folder, CHANGE, scales={"watch_level": WATCH})
    # what the log begins with is no change
    assert fired(found) == {"ann": day(22), "bob": day(8)}
    assert found.new.firings == 2
    assert found.new.messages == {"email": 1, "slack": 2}


@pytest.mark.parametrize(
    ("when", "said"),
    [
        ("{survey_asked_days: {gt: 1}}", "^survey_asked_days: kept as of now alone.* renewal_days"),
        ("{custom.tier: {eq: gold}}", "^custom.tier: what playbooks write themselves"),
        ("{onboarding_state: {eq: active}}", "the hub has kept onboarding_state not at all yet"),
    ],
)
async def test_what_has_no_past_is_refused_by_name(sqlite_store: Store, folder: Folder, when: str, said: str) -> None:
    past = Past(sqlite_store)
    await past.customers("ann")
    await past.scores("ann", steady(0.4, range(5)))
    text = PLAIN.replace("{health: {lt: 0.5}}", when)
    text = text[: text.index("examples:")] + "examples:\n"
    fires = {"survey_asked_days": 2, "onboarding_state": "active", "custom.tier": "gold"}
    text += f"  - {{facts: {fires}, fires: true}}\n  - {{facts: {{health: 1}}, fires: false}}\n"
    with pytest.raises(RefusedError, match=said):
        await plan(sqlite_store, folder, text)


async def test_what_nobody_can_replay_is_refused(sqlite_store: Store, folder: Folder) -> None:
    by_hand = PLAIN.replace("when: {health: {lt: 0.5}}", "by: hand")
    by_hand = by_hand[: by_hand.index("examples:")]
    with pytest.raises(RefusedError, match="low is fired by a person"):
        await plan(sqlite_store, folder, by_hand)
    with pytest.raises(RefusedError, match="no scorecards of the last 30 days"):
        await plan(sqlite_store, folder, PLAIN)
    with pytest.raises(RefusedError, match="days must be 1 to 730, not 0"):
        await plan(sqlite_store, folder, PLAIN, days=0)


STEPS = """
playbook: low
version: 1
title: Health is low
when: {health: {lt: 0.5}}
rest: 1 days
do:
  - branch: {when: {mrr: {gt: 500}}, then: [{pagerduty: {service: cs, summary: "{{ customer.name }}"}}], else: [{stop: small}]}
  - approve: {ask: "Write to {{ customer.name }}?", within: 1 days}
  - wait: 3 days
  - task: {title: Call, unless: {health: {rises_by: 0.3}}}
  - slack: {channel: "#off", template: note, off: true}
  - wait: {until: {health: {gte: 0.7}}, at_most: 5 days, else: [{email: {to: csm, template: note}}]}
examples:
  - {facts: {health: 0.4}, fires: true}
  - {facts: {health: 0.5}, fires: false}
"""


async def test_what_is_of_low_severity_is_let_in(sqlite_store: Store, folder: Folder) -> None:
    past = Past(sqlite_store)
    ids = [f"c{number}" for number in range(12)]
    await past.customers(*ids)
    for id_ in ids:
        await past.scores(id_, {1: 0.4, 0: 0.4})
    found = await plan(sqlite_store, folder, PLAIN.replace("rest:", "severity: low\nrest:"))
    assert "12 meet its condition now: the last of them begin on day 2" in found.cautions[-1]
    assert not any("low severity" in each for each in (await plan(sqlite_store, folder, PLAIN)).cautions)


async def test_runs_walk_through_their_steps_and_stay_open(store: Store, folder: Folder) -> None:
    past = Past(store)
    await past.customers("big", "small")
    lows = {29: 0.8, **dict.fromkeys(range(28, 13, -1), 0.4), **dict.fromkeys(range(13, -1, -1), 0.8)}
    await past.scores("big", lows, mrr=900.0)
    await past.scores("small", {29: 0.8, 28: 0.4, 27: 0.8}, mrr=10.0)
    found = await plan(store, folder, STEPS)
    # big: fires 28 days ago; task 25; mail 20 days ago, when five days of waiting are over, which is that day's end of it;
    # fires again 19 days ago: task 16; then health is 0.8 13 days ago, and the run ends without a mail
    assert found.new.firings == 3
    assert found.new.messages == {"email": 1, "pagerduty": 2}
    assert found.new.calls == {"task": 2}
    assert found.new.asked == 2
    assert any(each.startswith("every approval is taken as given") for each in found.cautions)


async def test_who_left_is_judged_where_its_time_is_over(store: Store, folder: Folder) -> None:
    past = Past(store)
    ids = ("left", "stayed", "young", "noticed", "missed")
    await past.customers(*ids)
    days = range(70, -1, -1)
    low = {"left": 50, "stayed": 50, "young": 10, "noticed": 50}
    for id_ in ids:
        await past.scores(id_, {ago: 0.4 if ago == low.get(id_) else 0.8 for ago in days if id_ != "left" or ago > 38})
    await past.pays("left", left=38)
    await past.pays("stayed")
    await past.pays("young")
    await past.pays("noticed", left=38, noticed=55)
    await past.pays("missed", left=35)
    found = await plan(store, folder, PLAIN, days=30, horizon=20, grace=10)
    outcome = found.new.outcome
    assert found.rehearsed_since == day(60)
    assert found.new.firings == 1  # of the window: the young one
    assert (outcome.customers, outcome.left, outcome.precision) == (2, 1, 0.5)
    assert (outcome.not_at_stake, outcome.immature, outcome.immature_left) == (1, 1, 0)
    assert (outcome.first, outcome.last) == (day(60), day(31))
    assert outcome.low == pytest.approx(0.0945, abs=1e-4)  # Wilson's interval of 1 of 2
    assert outcome.high == pytest.approx(0.9055, abs=1e-4)
    # at stake 60 days ago all five, 53, 46 and 39 days ago all but who had given notice, 32 days ago two;
    # of these left within 20 days: left and missed, on the three days between
    assert outcome.base_rate == pytest.approx(6 / 19)
    # left 38 days ago, noticed likewise, missed 35: of all three the 20 days before are replayed
    assert (outcome.churners, outcome.reached, outcome.median_lead) == (3, 2, 12.0)
    said = markdown(found)
    assert "1 of 2 (50%, 95 %: 9% to 91%) left within 20 days; of all customers at stake 31.6% did" in said
    assert "Firings since then have not matured and are left out: 1 customers, of whom 0 have left already." in said


async def test_a_plan_fits_a_comment_whatever_is_in_it(sqlite_store: Store, folder: Folder) -> None:
    past = Past(sqlite_store)
    await past.customers("ann", name="Ann | <script>alert(1)</script> `x` @everyone [a](b) " + "n" * 300)
    await past.scores("ann", {ago: 0.8 if ago > 3 else 0.4 for ago in range(29, -1, -1)})
    found = await plan(sqlite_store, folder, PLAIN)
    said = markdown(found)
    assert len(said) < 65_536
    (row,) = [line for line in said.splitlines() if line.startswith("| Ann")]
    assert row.startswith("| Ann \\| &lt;script&gt;alert(1)&lt;/script&gt; \\`x\\` @\u200beveryone \\[a\\](b) nnn")
    assert len(row) < 400
    long = replace(found, cautions=("x" * 150,) * 1_000)
    assert 65_000 < len(markdown(long)) <= 65_536
    assert markdown(long).endswith("(cut: `--json` has all of it)\n")
    assert found.as_json()["examples"][0]["day"] == str(TODAY - timedelta(days=3))


async def test_a_hold_out_is_counted(sqlite_store: Store, folder: Folder) -> None:
    past = Past(sqlite_store)
    ids = [f"c{number}" for number in range(20)]
    await past.customers(*ids)
    for id_ in ids:
        await past.scores(id_, {2: 0.8, 1: 0.4})
    found = await plan(sqlite_store, folder, PLAIN.replace("rest: 10 days", "rest: 10 days\nholdout: 50 %"))
    assert found.new.customers == 20
    assert 3 < found.new.held_out < 17
    assert f"| Held out of these, untreated | {found.new.held_out} customers |" in markdown(found)

"""Use case: the post-mortem of every customer who left, and what they add up to.

    report = await post_mortems(store, grace_days=30, now=now, since=date(2026, 1, 1))
    for one in report.found: one.summary, one.milestones, one.first_signal, one.actions
    report.everybody, report.by_segment, report.by_csm
    report.signs                    of each kind: how many who left had it, and how many who stayed had it in such a year

A churn is listed when it is certain, which is `grace_days` after the last paid day. Segment and CSM are those of today. The
number of statements does not depend on how many left.

SIGNS are conditions on stored scorecards (alerts and failed payments have moments of their own): what people could have seen
on that day, with an override counted in, and not what a definition of today would make of it. Churn risk counts only where
it was worked out before the customer left: of a past that is scored later it is by a model that has learned from the end.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from hub.model.conditions import Condition, Field, Operator, Test
from hub.store import Store
from hub.store.conditions import FIELDS
from hub.store.signals import Act, Key, Signals
from scoring.postmortem import MILESTONES, YEAR_DAYS, Action, Card, PostMortem, Summary, summary
from scoring.signs import Sign, signs

HALF = -0.5
UNUSED_DAYS = 28
DETRACTOR = 6
NOBODY = "(none)"


def _fact(name: str, operator: Operator, value: float) -> Condition:
    return Test(Field(name, "number"), operator, value)


def _band(field: str, band: str) -> Condition:
    return Test(FIELDS[field], Operator.EQ, band)


SIGNS: Mapping[str, Condition] = {
    "band_warning": _band("band", "warning"),
    "band_critical": _band("band", "critical"),
    "churn_medium": _band("churn_band", "medium"),
    "churn_high": _band("churn_band", "high"),
    "usage_halved": _fact("usage_trend", Operator.LTE, HALF),
    "unused": _fact("days_since_active", Operator.GTE, UNUSED_DAYS),
    "nps_detractor": _fact("nps_last", Operator.LTE, DETRACTOR),
    "champion_lost": _fact("champions_lost_90d", Operator.GT, 0),
}


AS_THEN = frozenset({"churn_medium", "churn_high"})


@dataclass(frozen=True, slots=True, kw_only=True)
class PostMortems:
    """found: the latest churn first; the summaries are of all of them, by group in order of name.

    signs  what each is worth, beside who stayed; of the book alone, () where some customers were asked for
    """

    since: date | None
    found: tuple[PostMortem, ...]
    everybody: Summary
    by_segment: tuple[Summary, ...]
    by_csm: tuple[Summary, ...]
    signs: tuple[Sign, ...]


async def post_mortems(
    store: Store,
    *,
    grace_days: int,
    now: datetime,
    since: date | None = None,
    customer_ids: Sequence[str] | None = None,
) -> PostMortems:
    """Of everybody who left, since a day, or of some customers alone (who have not left are not in it)."""
    async with store.reading() as connection:
        signals = Signals(connection, until=now.date(), grace_days=grace_days, since=since, customer_ids=customer_ids)
        gone = await signals.gone()
        cards = {days: await signals.newest_cards(days_before=days) for days in (*MILESTONES, 1)}
        first = await _first(signals)
        acts = await signals.acts()
        stayed: list[Sequence[str]] = []
        if customer_ids is None:
            others = Signals.of_stayed(connection, until=now.date(), grace_days=grace_days, since=since)
            seen = await _first(others)
            stayed = [list(seen.get(key, ())) for key in await others.keys()]
    found = []
    for each in gone:
        of_days = {days: Card(**by_key[each.key]) for days, by_key in cards.items() if each.key in by_key}
        found.append(
            PostMortem.of(
                customer_id=each.customer_id,
                customer_name=each.name,
                segment=each.segment,
                csm_email=each.csm_email,
                churned_on=each.churned_on,
                kind="involuntary" if each.involuntary else "voluntary",
                noticed_on=each.noticed_on,
                last_used_on=each.last_used_on,
                cards=of_days,
                last=of_days.get(1),
                first_days=first.get(each.key, {}),
                actions=[_action(act) for act in acts.get(each.key, ())],
            )
        )
    return PostMortems(
        since=since,
        found=tuple(found),
        everybody=summary(None, found),
        by_segment=_by(found, lambda one: one.segment),
        by_csm=_by(found, lambda one: one.csm_email),
        signs=signs(found, stayed) if customer_ids is None else (),
    )


async def _first(signals: Signals) -> dict[Key, dict[str, date]]:
    """{key: {signal: the first day of the year before on which it held}}."""
    found = await signals.first_days(SIGNS, within_days=YEAR_DAYS, then=AS_THEN)
    for key, days in (await signals.first_moments(within_days=YEAR_DAYS)).items():
        found[key] = found.get(key, {}) | days
    return found


def _action(act: Act) -> Action:
    return Action(kind=act.kind, on=act.at.date(), by=act.by, what=act.what)


def _by(found: Sequence[PostMortem], group: Callable[[PostMortem], str | None]) -> tuple[Summary, ...]:
    groups: dict[str, list[PostMortem]] = defaultdict(list)
    for one in found:
        groups[group(one) or NOBODY].append(one)
    return tuple(summary(name, groups[name]) for name in sorted(groups))

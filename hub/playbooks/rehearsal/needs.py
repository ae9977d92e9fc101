"""What a rehearsal of a playbook needs to know of each past day, and whether the past can tell it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from hub.errors import RefusedError
from hub.model.conditions import CHANGES, SEARCH, Condition, Field, Not, Test, fields_of
from hub.playbooks.durations import DATES, Moment
from hub.playbooks.spec import Playbook
from hub.playbooks.steps import Wait
from hub.playbooks.vocabulary import VOCABULARY
from hub.store.conditions import CUSTOM
from hub.store.lifecycle import LOGGED, NUMBERS
from hub.store.rehearsal import PROFILE, STANDING
from scoring.facts import FACTS

REPLAYED = ("scorecard", "threshold", "date", "record", "change", "schedule")
"""Kinds of triggers that the past can tell."""
COUNTED: Mapping[str, str] = {
    "watch_days": "watch_level",
    "churn_days": "churn_level",
    "onboarding_step_days": "onboarding_step",
    "onboarding_days": "onboarding_state",
    "renewal_days": "renewal_on",
}
"""{days of a state, or to a day: what it is whose changes tell them}."""
LOGS = LOGGED | NUMBERS
ALWAYS = ("csm_email", "mrr", "churn_annualised")
"""Whose it is, and what is at stake."""
LEVELS: Mapping[str, str] = {"watch_level": "health", "churn_level": "churn_annualised"}
"""{a level of the health watch: the score it is made of}."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """columns: of scorecards and customers; states: of the lifecycle, whose changes are read; days: of those, see COUNTED."""

    columns: tuple[Field, ...]
    states: frozenset[str]
    days: frozenset[str]
    cautions: tuple[str, ...]


def conditions(playbook: Playbook) -> list[Condition]:
    """Everything it asks of a customer, when it fires and on its way."""
    steps = (each for each in playbook.steps if not each.off)
    asked = [each for step in steps for each in (step.unless, step.condition)]
    return [each for each in (playbook.condition, playbook.trigger.before, *asked) if each is not None]


def asks_before(condition: Condition) -> bool:
    """Whether it compares with the facts at firing."""
    if isinstance(condition, Test):
        return condition.operator in CHANGES
    if isinstance(condition, Not):
        return asks_before(condition.condition)
    return any(map(asks_before, condition.conditions))


def needs_of(playbooks: Iterable[Playbook], *, rebuilt: frozenset[str]) -> Needs:
    """What they ask; RefusedError with the names of what the past cannot tell.

    rebuilt  levels that can be worked out from scores for days when the hub did not keep them yet
    """
    names: set[str] = {*ALWAYS}
    for playbook in playbooks:
        _check(playbook)
        for condition in conditions(playbook):
            names |= fields_of(condition)
        waits = (step.settings for step in playbook.steps if isinstance(step.settings, Wait))
        moments = [each.until for each in waits if isinstance(each.until, Moment)]
        moments += [playbook.trigger.moment] if playbook.trigger.moment is not None else []
        names |= {DATES[each.day][0] for each in moments}
        if SEARCH in names:
            names = (names - {SEARCH}) | {"name", "domain"}
        if playbook.trigger.field is not None:
            names.add(playbook.trigger.field)
    if custom := sorted(name for name in names if name.startswith(CUSTOM)):
        raise RefusedError(
            f"{', '.join(custom)}: what playbooks write themselves is no history that another can be tried on"
        )
    standing = names & STANDING.keys()
    if untold := sorted(standing - LOGS - COUNTED.keys()):
        raise RefusedError(
            f"{', '.join(untold)}: kept as of now alone, so nothing tells what they were on a past day. Of where customers "
            f"stand, a plan knows the past of {', '.join(sorted((LOGS & STANDING.keys()) | COUNTED.keys()))}"
        )
    states = (standing & LOGS) | {COUNTED[name] for name in standing & COUNTED.keys()}
    names -= standing
    if states & rebuilt:
        names |= {"health", "churn_annualised", "churn_band"}
    cautions = [f"{name} is today's on every day" for name in sorted(names & PROFILE)]
    cautions += [
        f"{name} is today's on days before the hub watched it"
        for name in sorted(names - set(ALWAYS))
        if name in FACTS and not FACTS[name].history
    ]
    return Needs(
        columns=tuple(VOCABULARY[name] for name in sorted(names)),
        states=frozenset(states),
        days=frozenset(standing & COUNTED.keys()),
        cautions=tuple(cautions),
    )


def _check(playbook: Playbook) -> None:
    trigger = playbook.trigger
    if playbook.by not in REPLAYED:
        what = "by a person" if playbook.by == "hand" else f"by what comes from outside ({playbook.by})"
        raise RefusedError(f"{playbook.name} is fired {what}: there is nothing in the past to replay")
    if (
        playbook.by == "threshold"
        and trigger.before is not None
        and (found := fields_of(trigger.before) & STANDING.keys())
    ):
        raise RefusedError(
            f"{', '.join(found)}: scorecards do not keep it, so there is no value of the one before to have crossed from; "
            "`by: {change: …}` fires when a state becomes another"
        )


__all__ = ["ALWAYS", "COUNTED", "LEVELS", "Needs", "asks_before", "conditions", "needs_of"]

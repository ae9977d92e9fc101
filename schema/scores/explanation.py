"""Why a score is what it is: its parts, the parts of its change, the records behind them, and what would lift its band."""

from dataclasses import replace
from datetime import date
from typing import Any

import strawberry
from strawberry.annotation import StrawberryAnnotation
from strawberry.types.arguments import StrawberryArgument

from hub.errors import NotFoundError, RefusedError
from hub.store.query import Row
from schema.context import Context
from schema.enums import Band
from schema.errors import BadInputError
from schema.fields import asked, computed, computed_now
from schema.scores.judgement import HealthOverride, override_row
from schema.scores.record import TrackRecord
from scoring.explain import Cause
from scoring.facts import FACTS

MOST_RECORDS = 50
strawberry.enum(Cause, name="ScoreCause", description="Why a part of a score changed.")


def _of(name: str, description: str | None = None, *, personal: bool = False) -> Any:
    return computed(lambda found: getattr(found, name), description=description, personal=personal)


def _part(name: str, description: str | None = None) -> Any:
    return computed(lambda line: getattr(line.contribution, name), description=description)


@strawberry.type(description="A record behind a fact, or a day or a feature of use put together.")
class EvidenceRecord:
    source: str = _of("source", "Name of the source that says so.")
    key: str = _of("key", "Its id at the vendor; of use, the day or the feature.", personal=True)
    on: date = _of("on")
    what: str = _of("what", "In words.", personal=True)
    url: str | None = _of("url", personal=True)


@strawberry.type(description="Records of one kind in the window of a fact, newest first.")
class Evidence:
    kind: str = _of("kind")
    since: date | None = _of("since", "First day of the window; null: of any age.")
    until: date = _of("until", "Last day of the window.")
    total: int = _of("total", "How many there are; `records` are the newest of them.")
    records: list[EvidenceRecord] = _of("records")


@strawberry.type(description="A fact a measure was read from, and what it was counted from.")
class ExplainedFact:
    name: str = computed(lambda fact: fact[0])
    value: float | None = computed(lambda fact: fact[1])
    unit: str | None = computed(lambda fact: FACTS[fact[0]].unit if fact[0] in FACTS else None)
    evidence: list[Evidence] = computed(lambda fact: fact[2])


def _facts(line: Any) -> list[tuple[str, Any, Any]]:
    return [(name, value, line.evidence.get(name, ())) for name, value in line.contribution.facts.items()]


@strawberry.type(description="What one measure adds to the score.")
class ScorePart:
    measure: str = _part("measure")
    group: str = _part("group")
    contribution: float = _part("amount", "weight * value; all of them add up to the score.")
    value: float | None = _part("value", "The reading, 0 to 1; null where left out.")
    weight: float = _part("weight", "Its share of the score, others' missing data counted in.")
    input: float | None = _part("input", "What it read, in `unit`.")
    unit: str = _part("unit")
    missing: str | None = _part("missing", "The policy that was applied for want of data; null where there was some.")
    reason: str = _part("reason", "In words.")
    facts: list[ExplainedFact] = computed(_facts)


@strawberry.type(description="A fact of a measure on both days, and what it was counted from.")
class ChangedFact:
    name: str = computed(lambda fact: fact[0])
    before: float | None = computed(lambda fact: fact[1][0])
    after: float | None = computed(lambda fact: fact[1][1])
    unit: str | None = computed(lambda fact: FACTS[fact[0]].unit if fact[0] in FACTS else None)
    evidence_before: list[Evidence] = computed(lambda fact: fact[2])
    evidence: list[Evidence] = computed(lambda fact: fact[3])


def _changed(line: Any) -> list[tuple[str, Any, Any, Any]]:
    return [
        (name, values, line.evidence_before.get(name, ()), line.evidence.get(name, ()))
        for name, values in line.facts.items()
    ]


@strawberry.type(description="What one measure, or an override, adds to the change of the score, for one cause.")
class ScoreChange:
    measure: str = _of("measure", "`override` stands in its place where that is the cause.")
    cause: Cause = _of("cause")
    amount: float = _of("amount", "All of them add up to the change.")
    reweighting: float = _of("reweighting", "The part of `amount` that others made by counting more, or less.")
    facts: list[ChangedFact] = computed(_changed)
    override: HealthOverride | None = computed(lambda line: override_row(line.override))


@strawberry.type(description="What one cause adds to the change of the score.")
class CauseTotal:
    cause: Cause = computed(lambda pair: pair[0])
    amount: float = computed(lambda pair: pair[1])


@strawberry.type(description="The definition that made a scorecard.")
class DefinitionRef:
    name: str = computed(lambda pair: pair[0])
    hash: str = computed(lambda pair: pair[1])


@strawberry.type(description="Why the score in force is not what it was.")
class ScoreComparison:
    since: date = _of("since", "Day of the earlier scorecard, the newest up to the day asked for.")
    score: float | None = _of("score", "In force then.")
    band: Band | None = _of("band", "In force then.")
    computed_score: float | None = _of("computed", "Of then.")
    definition_before: DefinitionRef = computed(lambda found: found.definitions[0])
    definition: DefinitionRef = computed(lambda found: found.definitions[1])
    change: float | None = _of("change", "Null where either day has no score.")
    changes: list[ScoreChange] = _of("changes", "The largest first.")
    causes: list[CauseTotal] = computed(lambda found: list(found.causes.items()))
    note: str | None = _of("note", "Why the change is not divided.")


async def _record(found: Any, context: Context) -> Any:
    if found.scorecard or context.viewer.book is not None:  # it is about all customers
        return None
    return await context.actions.track_record(now=context.now)


@strawberry.type(description="A score in parts that add up to the computed one exactly.")
class Explanation:
    as_of: date = _of("as_of")
    scorecard: str | None = _of("scorecard", "Name of the extra scorecard; null: the customer's own.")
    score: float | None = _of("score", "In force, an override included.")
    band: Band | None = _of("band", "In force.")
    computed_score: float | None = _of("computed", "What the definition makes of the facts: the sum of the parts.")
    computed_band: Band | None = _of("computed_band")
    override: HealthOverride | None = computed(
        lambda found: override_row(found.override),
        description="What puts another score in force than the computed one.",
    )
    definition: DefinitionRef = computed(lambda found: (found.definition, found.definition_hash))
    coverage: float = _of("coverage")
    note: str | None = _of(
        "note", "Why there is no score, why the band is lower than the score's, or who overrides it."
    )
    parts: list[ScorePart] = _of("lines")
    comparison: ScoreComparison | None = _of("comparison", "With `since`; null where there is nothing to compare with.")
    comparison_note: str | None = _of("uncompared", "With `since`: why there is no comparison.")
    track_record: TrackRecord | None = computed_now(
        _record, description="How often definitions like this have been right; null of an extra scorecard."
    )


@strawberry.type(description="A fact that would have to change.")
class LiftMove:
    measure: str = _of("measure")
    fact: str = _of("fact")
    before: float = _of("before")
    after: float = _of("after")
    unit: str = computed(lambda move: FACTS[move.fact].unit)
    steps: int = _of("steps", "Pieces of work.")
    doing: str = _of("doing", "What to do, in words.")


@strawberry.type(
    description="The cheapest change of facts that lifts the band, or the best in reach. Scored, not guessed."
)
class Lift:
    target: Band = _of("target")
    reached: bool = _of("reached")
    moves: list[LiftMove] = _of("moves")
    score: float | None = _of("score", "Now, from the facts of the newest scorecard's day.")
    band: Band | None = _of("band")
    lifted_score: float | None = _of("lifted_score")
    lifted_band: Band | None = _of("lifted_band")
    note: str | None = _of("note", "Why the target is not reached.")


def _argument(name: str, type_: Any, default: Any, description: str) -> StrawberryArgument:
    api_name = {"as_of": "asOf"}.get(name, name)
    return StrawberryArgument(name, api_name, StrawberryAnnotation(type_), default=default, description=description)


async def _explain(
    row: Row,
    context: Context,
    *,
    as_of: date | None = None,
    since: date | None = None,
    records: int,
    scorecard: str | None = None,
) -> Any:
    if not 1 <= records <= MOST_RECORDS:
        raise BadInputError(f"records must be 1 to {MOST_RECORDS}, not {records}")
    explain = context.actions.explain
    try:
        return await explain(row["id"], as_of=as_of, since=since, records=records, scorecard=scorecard)
    except (NotFoundError, RefusedError) as error:
        if since is None:
            raise
        # a page that compares with a month ago still wants to know why the score of a new customer is what it is
        found = await explain(row["id"], as_of=as_of, since=None, records=records, scorecard=scorecard)
        return replace(found, uncompared=str(error))


async def _lift(row: Row, context: Context, *, to: Band) -> Any:
    return await context.actions.lift(row["id"], target=to)


def explanation_field() -> Any:
    """`explanation(asOf:, since:, records:, scorecard:)` of a customer."""
    return asked(
        _explain,
        "id",
        arguments=(
            _argument("as_of", date | None, None, "The newest scorecard up to this day; the newest of all without it."),
            _argument("since", date | None, None, "Compare with the newest scorecard up to this day."),
            _argument("records", int, 5, f"Of each fact, 1 to {MOST_RECORDS}."),
            _argument("scorecard", str | None, None, "Name of an extra scorecard, instead of the customer's own."),
        ),
        description="Why the score is what it is, and since when. Of one customer at a time.",
    )


def lift_field() -> Any:
    """`lift(to:)` of a customer."""
    return asked(
        _lift,
        "id",
        arguments=(_argument("to", Band, Band.HEALTHY, "The band to reach."),),
        description="What people can do to lift the computed band. Of one customer at a time.",
    )

"""Expansion: the rules that find upgrades, add-ons and seats, and whom nothing is offered."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from hub.model.conditions import Condition, ConditionError, fields_of, parse
from hub.model.conditions import Field as Named
from hub.store.conditions import FIELDS
from scoring.facts import FACTS

VOCABULARY: Mapping[str, Named] = {name: Named(name, fact.kind) for name, fact in FACTS.items()} | dict(FIELDS)
"""What conditions may ask about, and evidence may quote."""
SELF = frozenset({"expansion_kind", "expansion_value"})
Days = Annotated[int, Field(ge=0, le=730)]
Share = Annotated[float, Field(ge=0, le=1)]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{1,59}$", examples=["more_seats"])]


def _condition(value: object) -> Condition:
    if not isinstance(value, Mapping):
        raise ValueError("must be a condition such as {seat_utilisation: {gt: 0.9}}")
    try:
        found = parse(value, VOCABULARY)
    except ConditionError as error:
        raise ValueError(str(error)) from None
    if fields_of(found) & SELF:
        raise ValueError("must not ask about expansion itself, which follows from it")
    return found


def _field(value: str) -> str:
    if value not in VOCABULARY:
        raise ValueError(f"{value!r} is no fact")
    return value


def _number(value: str) -> str:
    if _field(value) and VOCABULARY[value].kind != "number":
        raise ValueError(f"{value!r} is no number")
    return value


def _some(value: tuple[str, ...]) -> tuple[str, ...]:
    if not value:
        raise ValueError("must name at least one fact to quote")
    return value


When = Annotated[Any, BeforeValidator(_condition)]  # a Condition: dataclasses that pydantic should not look into


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Seats(_Part):
    """Seats up to so many times a number, each at what a seat costs today."""

    to: Annotated[float, Field(gt=0, le=10)]
    of: Annotated[str, AfterValidator(_number)] = "mau"


class Worth(_Part):
    """What winning it would bring a year; one of these."""

    seats: Seats | None = None
    share_of_arr: Annotated[float, Field(gt=0, le=10)] | None = None
    amount: Annotated[float, Field(gt=0)] | None = None

    @model_validator(mode="after")
    def _one(self) -> "Worth":
        if sum(each is not None for each in (self.seats, self.share_of_arr, self.amount)) != 1:
            raise ValueError("needs one of seats, share_of_arr and amount")
        return self


class Rule(_Part):
    """A kind of opportunity, whom it is found at, and what it is worth."""

    name: Name
    kind: Literal["plan_upgrade", "add_on", "seats"]
    title: Annotated[str, Field(min_length=1, max_length=200)]
    when: When
    evidence: Annotated[tuple[Annotated[str, AfterValidator(_field)], ...], AfterValidator(_some)]
    value: Worth
    probability: Share


class ExpansionSettings(_Part):
    """withdraw_after  days without its condition, or with something against it, after which one is withdrawn
    window          days after it was found within which a rise of seats or ARR wins it
    won_at          share of the forecast rise that wins it
    rest            days after one was won, lost or withdrawn by a person before the rule finds it again
    not_when        {name: condition}: nothing is offered to whom any of them holds for
    """

    enabled: bool = True
    withdraw_after: Days = 14
    window: Days = 120
    won_at: Annotated[float, Field(gt=0, le=1)] = 0.5
    rest: Days = 180
    not_when: dict[Name, When] = Field(default_factory=dict)
    rules: tuple[Rule, ...] = ()

    @model_validator(mode="after")
    def _told_apart(self) -> "ExpansionSettings":
        names = [rule.name for rule in self.rules]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"rules need names of their own: {', '.join(twice)} is given twice")
        return self

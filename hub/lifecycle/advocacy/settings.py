"""The section `advocacy:` of lifecycle.yaml: from which answer on somebody is a promoter, and whom the hub asks how often."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from hub.durable.schedule import schedule
from hub.errors import ConfigError
from hub.model.records import SurveyType

QUARTER = 90
"""Days of the shortest quarter."""
Days = Annotated[int, Field(ge=1, le=730)]
Score = Annotated[float, Field(ge=0, le=10)]
OTHERS = "others"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class SurveySettings(_Part):
    """The hub's own quarterly survey.

    schedule        when whoever is due is asked: a cron of five fields, in the hub's time zone
    spread_days     of a quarter: each customer has a day of its own within them, by a hash of its id
    late_days       after that day, for how long it may still be asked when something stood against it on the day
    most_contacts   of a customer, in a quarter
    most_per_day    of all customers together
    rest_days       a contact that was asked or answered, here or by any other survey tool, is left alone for so long
    first_days      a customer is not asked in the first days after its first subscription began
    roles           who is asked: the roles of contacts, `others` for whoever has none of them; those named first come first
    types           which kinds of surveys of other tools count for the rest
    expires_days    for how long a link takes an answer
    comment_hours   after the answer, for how long a comment may be added to it
    question        as the mail and the page ask it; {company} is the company of hub.yaml
    """

    enabled: bool = False
    schedule: str = "30 9 * * 1-5"
    spread_days: Days = 70
    late_days: Annotated[int, Field(ge=0, le=QUARTER)] = 14
    most_contacts: Annotated[int, Field(ge=1, le=100)] = 3
    most_per_day: Annotated[int, Field(ge=1)] = 200
    rest_days: Days = 90
    first_days: Annotated[int, Field(ge=0, le=730)] = 60
    roles: tuple[str, ...] = ("champion", "decision_maker", "executive_sponsor", "executive", "sponsor", OTHERS)
    types: tuple[SurveyType, ...] = (SurveyType.NPS,)
    expires_days: Days = 21
    comment_hours: Annotated[int, Field(ge=0, le=720)] = 24
    question: Annotated[str, Field(min_length=1, max_length=300)] = (
        "How likely are you to recommend {company} to a colleague?"
    )

    @field_validator("schedule")
    @classmethod
    def _cron(cls, value: str) -> str:
        try:
            schedule("survey", value, "survey", {}, timezone="UTC")
        except ConfigError as error:
            raise ValueError("; ".join(fault.message for fault in error.faults)) from None
        return value

    @field_validator("question")
    @classmethod
    def _names(cls, value: str) -> str:
        if "{" in value.replace("{company}", "") or "}" in value.replace("{company}", ""):
            raise ValueError("may hold {company} and no other braces")
        return value

    @model_validator(mode="after")
    def _fits_a_quarter(self) -> "SurveySettings":
        if self.spread_days + self.late_days > QUARTER:
            raise ValueError(f"spread_days and late_days together must fit a quarter, which has {QUARTER} days")
        if not self.roles or len(set(self.roles)) < len(self.roles):
            raise ValueError("roles must name at least one role, and each once")
        return self


class AdvocacySettings(_Part):
    """promoter_from, passive_from   of the score; below passive_from is a detractor
    answers_days    an answer older than this says nothing any more
    half_life_days  an answer weighs half as much as one that is so much younger; null: all of them weigh the same
    key_roles       roles of contacts whose answers weigh `key_weight` times those of others
    """

    enabled: bool = True
    promoter_from: Score = 9
    passive_from: Score = 7
    answers_days: Days = 365
    half_life_days: Days | None = 90
    key_roles: tuple[str, ...] = ("champion", "decision_maker", "executive_sponsor", "executive", "sponsor")
    key_weight: Annotated[float, Field(ge=1, le=100)] = 2
    survey: SurveySettings = SurveySettings()

    @model_validator(mode="after")
    def _in_order(self) -> "AdvocacySettings":
        if self.passive_from >= self.promoter_from:
            raise ValueError("passive_from must be below promoter_from")
        return self

    def standing(self, score: float) -> Literal["promoter", "passive", "detractor"]:
        if score >= self.promoter_from:
            return "promoter"
        return "passive" if score >= self.passive_from else "detractor"

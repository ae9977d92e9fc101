"""Queries for the configuration as frontends need it, facts and measures, definitions of health as kept, and the team."""

from datetime import datetime
from typing import Any

import strawberry
from strawberry.scalars import JSON

from hub.store.query import Order
from schema.enums import Band, ChurnBand, Role
from schema.fields import DEFAULT_FIRST, api_name, column, computed
from schema.loaders import ApiInfo, load_page
from schema.paging import Connection
from schema.permissions import root
from scoring.facts import CATALOGUE
from scoring.measures import discover


def _of(name: str, description: str | None = None) -> Any:
    return computed(lambda found: getattr(found, name), description=description)


@strawberry.type(description="A band of health, and the score it begins at.")
class HealthBandCut:
    band: Band = computed(lambda cut: Band(cut.band))
    begins: float = _of("begins", "0 to 1; it ends where the next one begins.")


@strawberry.type(description="A band of churn risk, and the annualised probability above which it lies.")
class ChurnBandCut:
    band: ChurnBand = computed(lambda cut: ChurnBand(cut.band))
    begins: float = _of("begins", "0 to 1, within a year.")


@strawberry.type(description="A definition of health as it is configured now.")
class HealthDefinition:
    name: str = _of("name")
    role: str = _of("role", "main; variant: in its place for some customers; beside: a scorecard of its own.")
    hash: str = _of("hash", "As scorecards name it.")
    coverage_floor: float = _of("coverage_floor", "Below this share of live data there is no score.")
    bands: list[HealthBandCut] = computed(lambda found: list(found.bands), description="From the worst up.")


@strawberry.type(description="A fact that customers have, filters choose by and lists are ordered by.")
class FactDefinition:
    name: str = _of("name", "As conditions say it.")
    field: str = computed(lambda fact: api_name(fact.name), description="As `Facts` and filters of this API say it.")
    kind: str = _of("kind", "number or text.")
    unit: str | None = computed(lambda fact: fact.unit or None)
    meaning: str = _of("meaning")
    group: str = _of("group", "The kind of source it needs.")


@strawberry.type(description="A measure, of which definitions of health are made; readings name it.")
class MeasureDefinition:
    name: str = _of("name", "As readings and definitions say it.")
    group: str = _of("group")
    meaning: str = _of("meaning", "What it reads, in words.")
    unit: str | None = computed(lambda measure: measure.unit or None, description="Of what it reads.")
    facts: list[str] = computed(lambda measure: list(measure.facts), description="The facts it is made of, by name.")


@strawberry.type(description="What of the configuration frontends go by.")
class Settings:
    timezone: str = _of("timezone", "The hub's own.")
    health_definitions: list[HealthDefinition] = computed(
        lambda known: list(known.health), description="The main one last."
    )
    churn_bands: list[ChurnBandCut] = computed(lambda known: list(known.churn_bands), description="The highest first.")
    churn_horizons: list[str] = computed(lambda known: list(known.horizons), description="The primary one first.")
    facts: list[FactDefinition] = computed(lambda _: list(CATALOGUE))
    measures: list[MeasureDefinition] = computed(lambda _: list(discover().values()), description="By name.")


@strawberry.type(description="A definition of health that ever made a scorecard.")
class KeptHealthDefinition:
    hash: str = column(description="As scorecards name it.")
    content: JSON = column(description="All that it said.")
    kept_at: datetime = column()


@strawberry.type(description="One of our own people, as team.yaml has them.")
class TeamMember:
    email: str = _of("email")
    name: str | None = _of("name")
    role: Role | None = computed(
        lambda member: None if member.role is None else Role(member.role), description="What they may do from Slack."
    )
    timezone: str = computed(lambda member: str(member.zone))
    works_from: str = computed(lambda member: f"{member.hours.begin:%H:%M}", description="Local time, such as 09:00.")
    works_to: str = computed(lambda member: f"{member.hours.end:%H:%M}", description="Local time.")
    slack_user: str | None = _of("slack")


@strawberry.type
class SettingsQueries:
    @root(description="What of the configuration frontends go by: cuts of bands, definitions, facts and measures.")
    async def settings(self, info: ApiInfo) -> Settings:
        known: Any = info.context.actions.known_settings()
        return known  # type: ignore[no-any-return]  # settings, read by their attributes

    @root(description="Our own people, by address.")
    async def team(self, info: ApiInfo) -> list[TeamMember]:
        members: Any = sorted(info.context.actions.team_members(), key=lambda member: member.email)
        return members  # type: ignore[no-any-return]  # members, read by their attributes

    @root(description="Definitions of health that ever made a scorecard, the newest first.")
    async def health_definitions(
        self, info: ApiInfo, first: int = DEFAULT_FIRST, after: str | None = None
    ) -> Connection[KeptHealthDefinition]:
        page: Connection[KeptHealthDefinition] = await load_page(
            info, "health_definition", order=Order("kept_at", descending=True), first=first, after=after
        )
        return page

"""The configuration as the API shows it: `schema.settings.asking.SettingsActions` over a Hub."""

from collections.abc import Sequence

from hub.compose.hub import Hub
from hub.model.team import Member
from schema.settings.asking import BandCut, HealthSettings, Known
from scoring.definition import HealthDefinition


class SettingsActions:
    """What is configured now; the store is not asked."""

    _hub: Hub

    def known_settings(self) -> Known:
        settings = self._hub.settings
        book, churn = settings.health, settings.churn
        return Known(
            timezone=settings.hub.timezone,
            health=(
                *(_health(each, "beside") for each in book.extras),
                *(_health(each.definition, "variant") for each in book.variants),
                _health(book.main, "main"),
            ),
            churn_bands=tuple(
                BandCut(band=name, begins=getattr(churn.bands, name)) for name in ("high", "medium", "low")
            ),
            horizons=churn.horizons,
        )

    def team_members(self) -> Sequence[Member]:
        return list(self._hub.settings.team.members.values())


def _health(definition: HealthDefinition, role: str) -> HealthSettings:
    return HealthSettings(
        name=definition.name,
        role=role,
        hash=definition.hash,
        coverage_floor=definition.coverage_floor,
        bands=tuple(BandCut(band=band.value, begins=begins) for band, begins in definition.bands),
    )

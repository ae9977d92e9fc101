"""Plans of playbooks and reports on their hold-outs, put together from what is configured: files, names, settings."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from hub.compose.hub import Hub
from hub.compose.watching import scales_of
from hub.documents import Document
from hub.errors import BusyError, ConfigError, Fault, NotFoundError, RefusedError
from hub.playbooks import Playbook
from hub.playbooks.loading import load as load_playbook
from hub.playbooks.rehearsal import Asked, Plan, rehearse
from hub.playbooks.rehearsal.needs import needs_of
from hub.playbooks.rehearsal.plan import Progress
from hub.playbooks.report import Effect, report
from hub.playbooks.spec import from_definition
from hub.settings import Settings
from hub.store import Store
from hub.store.rehearsal import find_version_before
from schema.context import PlanRequest
from scoring.levels import Scale

BUDGET = re.compile(r"(\d+(?:\.\d+)?) (?:per csm per week|per week)")


@dataclass(frozen=True, slots=True)
class Budget:
    """How often a playbook may fire: `10 per csm per week`, of the worst CSM and week; or `200 per week` in all."""

    most: float
    per_csm: bool

    @classmethod
    def parse(cls, text: str) -> "Budget":
        match = BUDGET.fullmatch(" ".join(text.lower().split()))
        if match is None:
            raise RefusedError(f"{text!r} is no budget: say such as '10 per csm per week' or '200 per week'")
        return cls(float(match[1]), "csm" in text.lower())

    def exceeded(self, plan: Plan) -> str | None:
        """By what, in words; None where it is kept."""
        new = plan.new
        found = new.worst_week if self.per_csm else new.most_a_week
        if found <= self.most:
            return None
        whose = (
            f" ({new.worst_csm or 'customers without a CSM'}, the week from {new.worst_begins})" if self.per_csm else ""
        )
        per = "per CSM per week" if self.per_csm else "per week"
        return f"{plan.playbook} would have fired {found:,} times{whose}; the budget is {self.most:g} {per}"


class PlanningActions:
    """Plans and reports as GraphQL asks for them, one plan at a time; the caller has checked who may."""

    _hub: Hub
    _planning = False

    async def plan_playbook(self, request: PlanRequest, *, now: datetime) -> Plan:
        """ConfigError with every fault of the definition, BusyError while another plan is made."""
        if self._planning:
            raise BusyError("a plan is being made; there is one at a time")
        settings = self._hub.settings
        if request.definition is not None:
            document = Document.from_text(request.definition, name="definition")
            playbook = load_playbook(document, renderer=settings.playbooks.renderer)
        else:
            playbook = configured(request.playbook or "", settings)
        self._planning = True
        try:
            return await plan(self._hub.store, playbook, settings, days=request.days, horizon=request.horizon, now=now)
        finally:
            self._planning = False

    async def report_playbooks(self, names: tuple[str, ...], *, now: datetime) -> list[Effect]:
        return await report_on(self._hub.store, self._hub.settings, names=names, now=now)


def configured(name: str, settings: Settings) -> Playbook:
    playbooks = settings.playbooks.playbooks
    if name not in playbooks:
        raise NotFoundError(f"there is no playbook {name!r}; there are: {', '.join(sorted(playbooks)) or 'none'}")
    return playbooks[name]


def playbook_of(given: str, settings: Settings) -> Playbook:
    """A playbook's file, or the name of a configured one. ConfigError with every fault, examples among them."""
    path = Path(given)
    if path.suffix in (".yaml", ".yml") or path.is_file():
        return load_playbook(Document.read(path), renderer=settings.playbooks.renderer)
    if given in settings.playbooks.playbooks:
        return settings.playbooks.playbooks[given]
    there = tuple(sorted(settings.playbooks.playbooks))
    raise ConfigError([Fault(f"there is no playbook {given!r}, and no such file", key="FILE", choices=there)])


async def plan(
    store: Store,
    playbook: Playbook,
    settings: Settings,
    *,
    days: int,
    now: datetime,
    horizon: int | None = None,
    against: Playbook | None = None,
    progress: Progress | None = None,
) -> Plan:
    """Rehearse a playbook beside what it would take the place of: `against`, else the live version of its name."""
    live, live_is = await _live(store, playbook, settings)
    if against is not None:
        live, live_is = against, f"version {against.version}, of the file given"
    churn, scales = settings.churn, _level_scales(settings)
    if live is not None:
        try:
            needs_of([live], rebuilt=frozenset(scales))
        except RefusedError as error:  # what is tried can be planned all the same
            live, live_is = None, f"{live_is}, which cannot be replayed: {error}"
    asked = Asked(
        playbook=playbook,
        live=live,
        live_is=live_is,
        days=days,
        horizon=horizon or churn.primary_days,
        grace=churn.grace_days,
        tenure=churn.snapshots.minimum_tenure_days,
        count_involuntary=churn.count_involuntary,
        scales=scales,
        timezone=settings.hub.timezone,
    )
    return await rehearse(store, asked, now=now, progress=progress)


async def _live(store: Store, playbook: Playbook, settings: Settings) -> tuple[Playbook | None, str]:
    """The live version: the configured one, or where that is this very one, the one that runs last began with before."""
    there = settings.playbooks.playbooks.get(playbook.name)
    if there is not None and there.hash != playbook.hash:
        return there, f"version {there.version}, as configured"
    async with store.reading() as connection:
        kept = await find_version_before(connection, playbook.name, but=playbook.hash)
    if kept is not None:
        before = from_definition(kept)
        return before, f"version {before.version}, which runs began with before"
    return None, "it is the live version" if there is not None else "there is no live version of this name"


def _level_scales(settings: Settings) -> Mapping[str, Scale]:
    """How scores are made into levels, for days when the hub did not keep them; none where the watch is off."""
    if not settings.lifecycle.watch.enabled:
        return {}
    scales = scales_of(settings)
    return {"watch_level": scales.health, "churn_level": scales.churn}


async def report_on(store: Store, settings: Settings, *, names: tuple[str, ...], now: datetime) -> list[Effect]:
    """What became of the runs of the configured playbooks, or of some by name, which may be configured no more."""
    churn = settings.churn
    return await report(
        store,
        settings.playbooks.playbooks,
        names=names,
        horizon=churn.primary_days,
        grace=churn.grace_days,
        count_involuntary=churn.count_involuntary,
        now=now,
    )

"""What a request brings along, and what mutations call: the use cases behind the `Actions` protocol.

The API knows no use case by name. Whoever puts the hub together gives it something that fires playbooks, rescores, syncs and
updates alerts; each takes a frozen request and returns a frozen result, or raises one of hub.errors.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal, Protocol

from hub.access import Viewer
from hub.access.reading import Reads
from hub.backtest import Every, Report, TrackRecord
from hub.explanation import Explanation
from hub.judgement import Judged
from hub.lifecycle.advocacy import Invited
from hub.model.actions import AlertOutcome, AlertState, Band
from hub.playbooks.rehearsal import Plan
from hub.playbooks.report import Effect
from hub.playbooks.stopping import Stopping
from hub.postmortem import PostMortems
from hub.store import Store
from hub.store.judgement import Kind, Statement
from hub.store.promotions import Promotion
from hub.store.stops import Stopped
from hub.training.comparison import Comparison
from hub.training.drift import DriftReport
from schema.analytics.asking import ReportActions
from schema.attention.asking import AttentionActions
from schema.configured import PlaybookDefinition as PlaybookDefinition
from schema.configured import SourceDefinition as SourceDefinition
from schema.configured import StepDefinition as StepDefinition
from schema.customers.asking import IdentityActions
from schema.guard.guard import Guard
from schema.people.asking import PeopleActions
from schema.playbooks.asking import WorkActions
from schema.segments.asking import SegmentActions
from schema.settings.asking import SettingsActions
from schema.sources.asking import SourceActions
from scoring.lift import Lift


@dataclass(frozen=True, slots=True, kw_only=True)
class FireRequest:
    """Run a playbook for some customers by hand. `key`: the same key fires once. `force`: even while it rests."""

    playbook: str
    customer_ids: tuple[str, ...]
    by: str
    key: str
    dry_run: bool = False
    force: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What a step of a dry run would do, in its order.

    action         of the step: slack, email, alert, task, wait
    channel, address, subject   of a message; None for the others
    body           the message as people would read it, or what the step does, in words
    after_seconds  how long after firing its turn comes
    """

    action: str
    body: str
    channel: str | None = None
    address: str | None = None
    subject: str | None = None
    after_seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Fired:
    """What firing did for one customer.

    state       fired; already_fired: the same key did it before; resting: left alone until `rest_until`; would_fire
    matches     whether the playbook's own condition holds; by hand it need not
    """

    customer_id: str
    run_id: str | None
    state: str
    matches: bool | None = None
    rest_until: datetime | None = None
    previews: tuple[Preview, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Resent:
    """A message of the ledger that is sent once more. `risk`: what that may double, in words."""

    delivery_id: str
    risk: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rescored:
    """The customers that have a new scorecard, and its day."""

    customer_ids: tuple[str, ...]
    as_of: date


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncStarted:
    """A sync that was begun (and may be over already)."""

    source: str
    run_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertChange:
    """New values of an alert. Only the fields named in `given` change; None in one of them clears it."""

    alert_id: str
    by: str
    given: frozenset[str]
    state: AlertState | None = None
    outcome: AlertOutcome | None = None
    snoozed_until: datetime | None = None
    note: str | None = None
    owner_email: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OverrideRequest:
    """A score 0-1, or a band, in the place of a customer's computed health. `until`: the last day; None: the usual time."""

    customer_id: str
    stated: float | Band
    reason: str
    by: str
    until: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SentimentRequest:
    """How a customer feels to its CSM, 0-1. `until`: the last day; None: the usual time."""

    customer_id: str
    value: float
    reason: str
    by: str
    until: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BacktestRequest:
    """What to try on the past: a definition's text, a playbook's name or a condition; at most one. See hub.backtest.Ask."""

    definition: str | None = None
    playbook: str | None = None
    when: str | None = None
    rest_days: int = 30
    months: int = 18
    every: Every = "month"
    horizon: int = 90
    lead: int = 30
    allow_peeking: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRequest:
    """What playbook to rehearse: a definition's text, or a configured one's name. `horizon`: None for the churn model's."""

    definition: str | None = None
    playbook: str | None = None
    days: int = 90
    horizon: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OnboardingRequest:
    """What is asked about a customer's onboarding. step: None for the current one. note: of a cancellation its reason."""

    kind: Literal["start", "complete", "skip", "cancel"]
    customer_id: str
    by: str
    step: str | None = None
    note: str | None = None
    restart: bool = False


class Actions(
    AttentionActions,
    IdentityActions,
    PeopleActions,
    ReportActions,
    SegmentActions,
    SettingsActions,
    SourceActions,
    WorkActions,
    Protocol,
):
    """The use cases that mutations call, and those that answer what no column holds."""

    async def fire(self, request: FireRequest, *, now: datetime) -> Sequence[Fired]: ...

    async def resend(self, delivery_ids: Sequence[str], *, by: str, dry_run: bool) -> Sequence[Resent]: ...

    async def rescore(self, customer_ids: Sequence[str], *, by: str, now: datetime) -> Rescored: ...

    async def sync(self, source: str, *, by: str, now: datetime) -> SyncStarted: ...

    async def update_alert(self, change: AlertChange, *, now: datetime) -> None: ...

    async def approve(self, run_id: str, *, approved: bool, by: str, note: str | None, step: int | None) -> None: ...

    async def stop_playbook(self, playbook: str, *, by: str, reason: str, cancel: bool) -> Stopping: ...

    async def start_playbook(self, playbook: str, *, by: str) -> None: ...

    async def stopped_playbooks(self) -> Sequence[Stopped]: ...

    async def plan_playbook(self, request: PlanRequest, *, now: datetime) -> Plan: ...

    async def report_playbooks(self, names: tuple[str, ...], *, now: datetime) -> Sequence[Effect]: ...

    async def onboard(self, request: OnboardingRequest, *, now: datetime) -> str:
        """Carry it out; return the onboarding's id."""

    async def update_renewal(
        self, renewal_id: str, *, status: str | None, amount: float | None, reason: str, by: str, now: datetime
    ) -> Mapping[str, Any]:
        """A person's word on a renewal, or without a status that it is taken back; return the renewal's row."""

    async def update_opportunity(
        self, opportunity_id: str, *, state: str, amount: float | None, reason: str | None, by: str, now: datetime
    ) -> Mapping[str, Any]:
        """What a person says became of an opportunity to expand; return its row."""

    async def send_survey(self, customer_ids: Sequence[str], *, by: str, force: bool, dry_run: bool) -> Invited:
        """Ask contacts of these customers now, or say who would be asked."""
        ...

    async def backtest(self, request: BacktestRequest, *, now: datetime) -> Report: ...

    async def explain(
        self, customer_id: str, *, as_of: date | None, since: date | None, records: int, scorecard: str | None
    ) -> Explanation: ...

    async def lift(self, customer_id: str, *, target: Band) -> Lift: ...

    async def track_record(self, *, now: datetime) -> TrackRecord: ...

    async def override(self, request: OverrideRequest, *, now: datetime) -> Statement: ...

    async def feel(self, request: SentimentRequest, *, now: datetime) -> Statement: ...

    async def withdraw(self, kind: Kind, customer_id: str, *, by: str, now: datetime) -> None: ...

    async def judgement(self, *, since: date | None, now: datetime) -> Sequence[Judged]: ...

    async def suppress_mail(self, address: str, *, by: str, topic: str, note: str | None) -> bool: ...

    async def unsuppress_mail(self, address: str, *, topic: str | None) -> int: ...

    async def compare_models(self, *, horizon: str | None) -> Sequence[Comparison]: ...

    async def promote_model(self, version: str, *, by: str, force: bool, reason: str | None) -> Promotion: ...

    async def roll_back_model(self, horizon: str | None, *, by: str, reason: str | None) -> Promotion: ...

    async def promotions(self, *, horizon: str | None) -> Sequence[Promotion]: ...

    async def drift(self, *, horizon: str | None) -> Sequence[DriftReport]: ...

    async def post_mortems(
        self, *, since: date | None, customer_ids: Sequence[str] | None, now: datetime
    ) -> PostMortems: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """One request: who asks, when, and what there is to ask."""

    store: Store
    viewer: Viewer
    now: datetime
    actions: Actions
    playbooks: Callable[[], Sequence[PlaybookDefinition]] = field(repr=False)
    sources: Callable[[], Sequence[SourceDefinition]] = field(repr=False)
    reads: Reads = field(repr=False)
    guard: Guard = field(default_factory=Guard, repr=False)

    def source(self, name: str) -> SourceDefinition | None:
        """A source as configured; None for one that no longer is."""
        return next((source for source in self.sources() if source.name == name), None)

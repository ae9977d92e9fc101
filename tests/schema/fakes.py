"""The use cases mutations call, as fakes that note what they were asked, and a way to put a query to a store."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from hub.access import Viewer
from hub.access.reading import Reads
from hub.errors import BusyError, NotFoundError, RefusedError
from hub.model.actions import Role
from hub.model.team import Member
from hub.playbooks.stopping import Stopping
from hub.store import Store
from hub.store.stops import Stopped
from hub.store.streams import Check
from hub.sync import StreamReport
from schema.answering import answer
from schema.context import (
    AlertChange,
    Context,
    Fired,
    FireRequest,
    PlaybookDefinition,
    Preview,
    Rescored,
    Resent,
    SourceDefinition,
    StepDefinition,
    SyncStarted,
)
from schema.settings.asking import BandCut, HealthSettings, Known
from tests.schema.company import NOW

Ask = Callable[..., Awaitable[Mapping[str, Any]]]

PLAYBOOKS = (
    PlaybookDefinition(
        name="save",
        version=3,
        title="Save a customer",
        rest_days=14,
        when={"health": {"lt": 0.3}},
        steps=(StepDefinition(action="notify", summary="Tell the CSM on Slack"),),
    ),
)

SOURCES = (
    SourceDefinition(name="desk", connector="zendesk", schedule="*/15 * * * *"),
    SourceDefinition(name="app", connector="mixpanel", enabled=False),
)


class FakeActions:
    """Notes every call and its arguments; answers like the use cases. `refuse` makes the next call fail."""

    def __init__(self) -> None:
        self.calls: list[Any] = []
        self.refuse: Exception | None = None

    def _note(self, call: Any) -> None:
        if self.refuse is not None:
            raise self.refuse
        self.calls.append(call)

    async def resend(self, delivery_ids: Sequence[str], *, by: str, dry_run: bool) -> Sequence[Resent]:
        self._note(("resend", tuple(delivery_ids), by, dry_run))
        return [Resent(delivery_id=each, risk="people may get it twice") for each in delivery_ids]

    async def fire(self, request: FireRequest, *, now: datetime) -> Sequence[Fired]:
        if request.playbook not in {playbook.name for playbook in PLAYBOOKS}:
            raise NotFoundError(f"no playbook {request.playbook!r}; there is save")
        self._note(request)
        preview = Preview(
            action="email",
            channel="email",
            address="ann@cs.example",
            subject="Call",
            body="Call them",
            after_seconds=60.0,
        )
        return [
            Fired(
                customer_id=customer,
                run_id=None if request.dry_run else f"run-{customer}-0",
                state="would_fire" if request.dry_run else "fired",
                matches=True,
                rest_until=now,
                previews=(preview,) if request.dry_run else (),
            )
            for customer in request.customer_ids
        ]

    async def rescore(self, customer_ids: Sequence[str], *, by: str, now: datetime) -> Rescored:
        self._note(("rescore", tuple(customer_ids), by))
        return Rescored(customer_ids=tuple(customer_ids), as_of=now.date())

    async def sync(self, source: str, *, by: str, now: datetime) -> SyncStarted:
        if source == "busy":
            raise BusyError("busy is being synced")
        self._note(("sync", source, by))
        return SyncStarted(source=source, run_id=f"sync-{source}-1")

    async def reconcile(
        self, source: str, *, streams: Sequence[str] | None, accept: bool, by: str, now: datetime
    ) -> None:
        self._note(("reconcile", source, streams, accept, by))

    async def compare(self, source: str, *, streams: Sequence[str] | None) -> Mapping[str, Check]:
        self._note(("compare", source, streams))
        found = Check(way="ids", theirs=20, ours=19, missing=2, extra=1, stale=0, completeness=0.9)
        return {"tickets": found, "users": Check(error="cannot be compared: the vendor lists no ids")}

    async def retry_quarantine(
        self, source: str, *, streams: Sequence[str] | None, dry_run: bool, by: str, now: datetime
    ) -> Mapping[str, StreamReport]:
        self._note(("retry", source, streams, dry_run, by))
        return {"tickets": StreamReport(pulled=5, new=3, unchanged=1, quarantined=1, state="done")}

    async def update_alert(self, change: AlertChange, *, now: datetime) -> None:
        if change.alert_id == "closed":
            raise RefusedError("the alert is closed")
        self._note(change)

    async def approve(self, run_id: str, *, approved: bool, by: str, note: str | None, step: int | None) -> None:
        self._note(("approve", run_id, approved, by, note, step))

    async def stop_playbook(self, playbook: str, *, by: str, reason: str, cancel: bool) -> Stopping:
        self._note(("stop", playbook, by, reason, cancel))
        return Stopping(playbook=playbook, changed=True, cancelled=2, withdrawn=3)

    async def start_playbook(self, playbook: str, *, by: str) -> None:
        self._note(("start", playbook, by))

    async def suppress_mail(self, address: str, *, by: str, topic: str, note: str | None) -> bool:
        self._note(("suppress", address, by, topic, note))
        return True

    async def unsuppress_mail(self, address: str, *, topic: str | None) -> int:
        self._note(("unsuppress", address, topic))
        return 2

    def known_settings(self) -> Known:
        main = HealthSettings(
            name="main", role="main", hash="h", coverage_floor=0.5, bands=(BandCut(band="critical", begins=0.0),)
        )
        cuts = (BandCut(band="high", begins=0.7),)
        return Known(timezone="Europe/Berlin", health=(main,), churn_bands=cuts, horizons=("90d", "renewal"))

    def team_members(self) -> Sequence[Member]:
        return [Member(email="bob@cs.example"), Member(email="ann@cs.example", name="Ann", role=Role.ADMIN, slack="U1")]

    async def stopped_playbooks(self) -> Sequence[Stopped]:
        return [Stopped(playbook="save", reason="wrong", stopped_by="ann", stopped_at=NOW)]


def viewer(role: Role = Role.VIEWER) -> Viewer:
    return Viewer(token_id=f"tok_{role.value}", name=f"a {role.value}", role=role, csm_email=None)


def asking(store: Store, actions: FakeActions) -> Ask:
    async def ask(
        query: str, variables: Mapping[str, Any] | None = None, *, role: Role = Role.CSM, **who: Any
    ) -> Mapping[str, Any]:
        context = Context(
            store=store,
            reads=Reads(store),
            viewer=replace(viewer(role), **who),
            now=NOW,
            actions=actions,
            playbooks=lambda: PLAYBOOKS,
            sources=lambda: SOURCES,
        )
        return (await answer(context, query, variables)).said()

    return ask

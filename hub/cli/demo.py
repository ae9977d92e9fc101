"""`cshub demo`: a whole hub on a simulated company, and `cshub sandboxes`, the vendors it talks to."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import uvicorn

from hub.asgi import app
from hub.cli import show
from hub.cli.app import asynchronous, main
from hub.cli.serve import Served, listen, serve_hub
from hub.cli.sync import waiting
from hub.clock import utc_now
from hub.compose import Hub, Scored
from hub.compose.admission import admission_of
from hub.compose.planning import report_on
from hub.compose.web import routes_of
from hub.demo import sandboxes as sandbox_process
from hub.demo.month.play import Month
from hub.demo.run import Demo
from hub.model.actions import Delivery, SyncState
from hub.playbooks.report_text import lines as report_lines
from hub.store.tally import Tally
from hub.sync import SyncReport
from hub.training import Training

HOST = "127.0.0.1"
MOST_LISTED = 20


@main.command()
@click.option(
    "--once", is_flag=True, help="Do everything, print a summary, and end. Exit code 1 where anything failed."
)
@click.option("--fresh", is_flag=True, help="Forget what an earlier demo left in the folder.")
@click.option("--folder", type=click.Path(path_type=Path, file_okay=False), default=Path(".demo"), show_default=True)
@click.option("--port", type=click.IntRange(1, 65535), default=8000, show_default=True, help="Of GraphQL.")
@click.option(
    "--customers", type=click.IntRange(12, 5000), default=300, show_default=True, help="Of the simulated company."
)
@click.option("--months", type=click.IntRange(3, 60), default=24, show_default=True, help="Of its history.")
@click.option("--seed", default=7, show_default=True)
@click.option(
    "--days",
    type=click.IntRange(0, 90),
    default=30,
    show_default=True,
    help="The last days of its history, which the hub lives through, some seconds each; 0: none.",
)
@asynchronous
async def demo(
    once: bool, fresh: bool, folder: Path, port: int, customers: int, months: int, seed: int, days: int
) -> None:
    """Show a whole hub at work, without an account anywhere.

    A simulated company's HubSpot, Zendesk, Mixpanel and CSV exports are served on this machine in the vendors' own
    formats. The hub syncs them over HTTP, finds out who is who, computes health and churn risk, fires playbooks into a
    Slack workspace and mailboxes of its own, and answers GraphQL. Nothing leaves this machine.

    First it lives through the last month, day by day, in some minutes: customers sign and are onboarded, alerts open and
    are closed, people press buttons, answer surveys and opt out. A demo that has lived its month goes on from there.
    """
    with listen(HOST, 0 if once else port) as bound:
        await _demo(bound, once=once, fresh=fresh, folder=folder, port=port, company=(customers, months, seed, days))


async def _demo(
    bound: socket.socket, *, once: bool, fresh: bool, folder: Path, port: int, company: tuple[int, int, int, int]
) -> None:
    show.say("Starting the simulated company and its vendors …")
    customers, months, seed, days = company
    async with Demo.open(
        folder,
        fresh=fresh,
        port=port,
        seed=seed,
        customers=customers,
        months=months,
        days=days,
        served_at=bound.getsockname()[1],
        clock=utc_now,
    ) as running:
        lived = None if running.diary.over else await _live(running, bound)
        async with running.present():
            learned = await _learn(running)
            if not once:
                visitors = await running.visitors()
                _next_steps(port, running.outbox_url, visitors[0].secret)
                await serve_hub(
                    running.hub, bound, demo_token=visitors[0].secret, demo_tokens=visitors, first=running.score
                )
                return
            wrong = await _finish(running, learned, lived)
    for sentence in wrong:
        show.complain(f"failed: {sentence}")
    if wrong:
        raise click.exceptions.Exit(1)


async def _live(running: Demo, bound: socket.socket) -> Month | None:
    """The days of the diary that are still to be lived; None where the past before them is not known as a whole."""
    here = f"http://{HOST}:{bound.getsockname()[1]}"
    async with running.past(hub_url=here) as month:
        hub = running.hub
        if not running.diary.prepared:
            show.say(f"It is {running.diary.begins:%d %B %Y}: the hub is set up, and knows what its sources know.")
            if not (await _learn(running)).whole:
                return None
            month.diary = running.diary = running.diary.noted()
        async with _serving(hub, bound), _quietly():
            with show.step("living through the days", total=running.diary.days) as step:
                async for day in month.play():
                    step.advance()
                    step.bars.console.print(f"  {day}", markup=False, highlight=False, soft_wrap=True)
        running.diary = month.diary
    return month


@asynccontextmanager
async def _serving(hub: Hub, bound: socket.socket) -> AsyncIterator[None]:
    """The hub's pages and receivers, as long as days are played; the socket stays open."""
    application = app(Served(hub, None), routes=routes_of(hub), admission=admission_of(hub))
    config = uvicorn.Config(
        application, log_level="warning", lifespan="off", access_log=False, timeout_graceful_shutdown=1
    )
    server = _Server(config)
    serving = asyncio.create_task(server.serve(sockets=[bound.dup()]))
    try:
        yield
    finally:
        server.should_exit = True
        await serving


@asynccontextmanager
async def _quietly() -> AsyncIterator[None]:
    """Mailboxes that are gone and models that drift are part of the story, not of the log."""
    logger = logging.getLogger("hub")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)


class _Server(uvicorn.Server):
    """Leaves the process's signals to the demo."""

    def capture_signals(self) -> Any:
        return nullcontext()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Learned:
    reports: list[SyncReport]
    training: Training

    @property
    def whole(self) -> bool:
        return all(report.state is SyncState.SUCCEEDED for report in self.reports)


async def _learn(running: Demo) -> _Learned:
    """What everybody's first day with the hub is: sync, train, and score the past."""
    hub = running.hub
    show.say(f"store      {hub.store.description}")
    show.say(f"company    {running.company.customers} customers since {running.company.started_on}")
    with show.sync_progress() as progress:
        reports = await hub.sync_all(list(hub.settings.sources), progress=progress.update)
    ambiguous, unmatched = await waiting(hub.store)
    show.sync_reports(reports, ambiguous=ambiguous, unmatched=unmatched)
    with show.step("training the churn model on monthly snapshots") as step:
        training = await hub.train(progress=step.to)
    for line in training.lines():
        show.out.print(f"  {line}" if line else "", markup=False)
    days = running.month_starts(hub.clock().date())
    learned = _Learned(reports=reports, training=training)
    if not learned.whole:
        # a scorecard of a past day is never overwritten: it has to wait until everything is known
        incomplete = [report.source for report in reports if report.state is not SyncState.SUCCEEDED]
        show.complain(f"the past is not scored, because not all is here of: {', '.join(incomplete)}")
    else:
        with show.step("scoring the past, month by month", total=len(days)) as step:
            await hub.backfill(days, progress=step.to)
    return learned


async def _finish(running: Demo, learned: _Learned, lived: Month | None) -> list[str]:
    """Today's scores and messages, and what all of it came to; what went wrong, in words."""
    hub = running.hub
    async with hub.working():
        scored = await running.score()
        with show.step("playbooks: rendering, sending, confirming"):
            settled = await running.settle()
    show.say("")
    counts = await running.tally()
    _summary(counts, learned.reports, learned.training, scored)
    if running.diary.days:
        did = lived.cast.did if lived else {}
        show.table(f"After {running.diary.days} days", ("what", "how many"), await running.came_to(did))
        show.say("\nWhat playbooks did, and whether it helped (cshub playbook report)\n")
        for line in report_lines(
            await report_on(hub.store, hub.settings, names=tuple(sorted(counts.playbooks)), now=hub.clock())
        ):
            show.say(line)
    wrong = _failures(learned.reports, counts, await running.unconfirmed()) + await running.account()
    wrong += lived.failed if lived else []
    if not settled:
        wrong.append("messages were still on their way when the demo stopped waiting for them")
    return wrong


@main.command(hidden=True, add_help_option=False, context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def sandboxes(arguments: tuple[str, ...]) -> None:
    """The vendors' stand-ins, Slack, a mail server and the outbox, in one process that ends with its parent."""
    sandbox_process.main(arguments)


def _failures(reports: list[SyncReport], counts: Tally, unconfirmed: list[Delivery]) -> list[str]:
    """What went wrong, in words; nothing of it may pass as success."""
    wrong = [f"{report.source}: {report.error}" for report in reports if report.state is not SyncState.SUCCEEDED]
    wrong += [
        f"delivery {each.id} to {each.channel} {each.address} is {each.state.value}: {each.error or 'nobody knows why'}"
        for each in unconfirmed[:MOST_LISTED]
    ]
    if (more := len(unconfirmed) - MOST_LISTED) > 0:
        wrong.append(f"{more} more deliveries")
    if failed := counts.runs.get("failed", 0):
        wrong.append(f"{failed} playbook runs failed")
    return wrong


def _summary(counts: Tally, reports: list[SyncReport], training: Training, scored: Scored) -> None:
    rows: list[tuple[str, object]] = [("customers", counts.customers)]
    rows += [(f"companies {state}", counts.evidence[state]) for state in sorted(counts.evidence)]
    rows += [
        (f"records: {report.source} {name}", stream.pulled)
        for report in reports
        for name, stream in report.streams.items()
    ]
    rows += [(f"stored: {kind}", many) for kind, many in counts.records.items()]
    rows += [("new or changed in this run", sum(s.new + s.changed for r in reports for s in r.streams.values()))]
    rows += [("in quarantine", counts.quarantined), ("scorecards", counts.scorecards)]
    rows += [(f"health: {band}", counts.bands.get(band, 0)) for band in ("critical", "warning", "stable", "healthy")]
    rows += [(f"churn risk: {band}", counts.churn_bands.get(band, 0)) for band in show.CHURN_BANDS]
    if evaluation := training.evaluation:
        rows += [
            ("churn ROC-AUC, later months", f"{evaluation.roc_auc.value:.3f}"),
            ("churn PR-AUC, later months", f"{evaluation.pr_auc.value:.3f}"),
            ("… against a base rate of", f"{evaluation.base_rate:.3f}"),
        ]
    rows += [("churn model", training.version if training.shown else f"none: {training.why_not}")]
    rows += [(f"playbook {name}: runs", many) for name, many in sorted(counts.playbooks.items())]
    rows += [("… of them fired in this run", scored.fired.total)]
    rows += [(f"deliveries {state}", many) for state, many in sorted(counts.deliveries.items())]
    rows += [("alerts and tasks", counts.alerts)]
    show.table("Summary", ("what", "how many"), rows)


def _next_steps(port: int, outbox_url: str, token: str) -> None:
    show.say(
        f"""
Dashboard  http://127.0.0.1:{port}/      sign in as an admin or as a CSM with one click
GraphiQL   http://127.0.0.1:{port}/graphiql      three queries are ready; the token is filled in
Outbox     {outbox_url}      what Slack and the mailboxes received
Token      {token}

What next?
  1. Run the first query: who is at risk, and why. Copy a customer's id.
  2. Fire a playbook for it, first as a dry run:
       mutation {{ playbookFire(input: {{playbook: "churn_save", customerIds: ["…"], idempotencyKey: "try-1", dryRun: true}})
                  {{ previews {{ channel address subject body }} errors {{ code message }} }} }}
  3. The same with dryRun: false and force: true, and look into the outbox.
Ctrl-C ends it; `make demo` goes on from here, `make demo FRESH=1` from nothing.
"""
    )

"""`cshub demo`: a whole hub on a simulated company, and `cshub sandboxes`, the vendors it talks to."""

import socket
from contextlib import nullcontext
from pathlib import Path

import click

from hub.cli import show
from hub.cli.app import asynchronous, main
from hub.cli.serve import listen, serve_hub
from hub.cli.sync import waiting
from hub.clock import utc_now
from hub.compose import Scored
from hub.demo import sandboxes as sandbox_process
from hub.demo.run import Demo
from hub.model.actions import Delivery, SyncState
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
@click.option("--months", type=click.IntRange(3, 60), default=18, show_default=True, help="Of its history.")
@click.option("--seed", default=7, show_default=True)
@asynchronous
async def demo(once: bool, fresh: bool, folder: Path, port: int, customers: int, months: int, seed: int) -> None:
    """Show a whole hub at work, without an account anywhere.

    A simulated company's HubSpot, Zendesk, Mixpanel and CSV exports are served on this machine in the vendors' own
    formats. The hub syncs them over HTTP, finds out who is who, computes health and churn risk, fires playbooks into a
    Slack workspace and mailboxes of its own, and answers GraphQL. Nothing leaves this machine.
    """
    with nullcontext() if once else listen(HOST, port) as bound:
        await _demo(bound, once=once, fresh=fresh, folder=folder, port=port, company=(customers, months, seed))


async def _demo(
    bound: socket.socket | None, *, once: bool, fresh: bool, folder: Path, port: int, company: tuple[int, int, int]
) -> None:
    show.say("Starting the simulated company and its vendors …")
    customers, months, seed = company
    async with Demo.open(
        folder, fresh=fresh, port=port, seed=seed, customers=customers, months=months, clock=utc_now
    ) as running:
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
        days = running.month_starts(utc_now().date())
        if incomplete := [report.source for report in reports if report.state is not SyncState.SUCCEEDED]:
            # a scorecard of a past day is never overwritten: it has to wait until everything is known
            show.complain(f"the past is not scored, because not all is here of: {', '.join(incomplete)}")
        else:
            with show.step("scoring the past, month by month", total=len(days)) as step:
                await hub.backfill(days, progress=step.to)
        if bound is None:
            async with hub.working():
                scored = await running.score()
                with show.step("playbooks: rendering, sending, confirming"):
                    settled = await running.settle()
            show.say("")
            counts = await running.tally()
            _summary(counts, reports, training, scored)
            wrong = _failures(reports, counts, await running.unconfirmed())
            if not settled:
                wrong.append("messages were still on their way when the demo stopped waiting for them")
            for sentence in wrong:
                show.complain(f"failed: {sentence}")
            if wrong:
                raise click.exceptions.Exit(1)
            return
        _next_steps(port, running.outbox_url, await running.token())
        await serve_hub(hub, bound, demo_token=await running.token(), first=running.score)


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

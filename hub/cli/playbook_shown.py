"""`cshub playbook list`, `runs` and `show`: what there is, what became of it, and what waits for whom."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from hub.cli import show
from hub.cli.app import asynchronous, opened
from hub.errors import ConfigError, NotFoundError
from hub.model.actions import Approval, ApprovalState, Run, RunState
from hub.playbooks import Playbook
from hub.playbooks.durations import show_duration
from hub.playbooks.spec import from_definition
from hub.playbooks.telling import say, summary
from hub.settings import load
from hub.store import Connection, approvals, customers, deliveries, runs, stops
from schema.errors import BadInputError
from schema.nodes import parse_id

STATES = tuple(state.value for state in RunState)


@click.command("list")
@click.pass_obj
@asynchronous
async def playbook_list(config: Path | None) -> None:
    """List the playbooks of the configuration, and which of them are stopped."""
    found = load(config).playbooks.playbooks.values()
    try:
        async with opened(config) as store, store.reading() as connection:
            stopped = await stops.find_stops(connection)
    except ConfigError:  # there is no store yet, and so nothing is stopped
        stopped = {}
    show.table(
        None,
        ("name", "version", "title", "set off by", "rests (days)", "held out", "stopped", "steps"),
        [
            (
                each.name,
                each.version,
                each.title,
                each.by,
                each.rest.days,
                "" if each.holdout is None else f"{100 * each.holdout:g} %",
                _stop(stopped, each.name),
                ", ".join(step.action for step in each.steps),
            )
            for each in found
        ],
    )


@click.command("runs")
@click.argument("name", required=False)
@click.option("--state", "states", type=click.Choice(STATES), multiple=True, help="Only these; may be given again.")
@click.option("--customer", help="Only of this one: an id, a domain or a whole name.")
@click.option("--asking", is_flag=True, help="Only those that wait for a person's answer, with the question.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="How many at most.")
@click.pass_obj
@asynchronous
async def playbook_runs(
    config: Path | None, name: str | None, states: tuple[str, ...], customer: str | None, asking: bool, limit: int
) -> None:
    """List runs of all playbooks, or of NAME: where they stand, what they wait for and why they failed. Newest first."""
    async with opened(config) as store, store.reading() as connection:
        asked: dict[str, Approval] = {}
        if asking:
            open_ = await approvals.find_approvals(connection, states=[ApprovalState.OPEN])
            asked = {each.run_id: each for each in open_}
        found = await runs.find_runs(
            connection,
            ids=asked if asking else None,
            playbook=name,
            customer_ids=None if customer is None else [(await customers.get_customer(connection, id_of(customer))).id],
            states=[RunState(each) for each in states] or None,
            limit=limit,
        )
        stopped = await stops.find_stops(connection)
        names = await customers.find_names(connection, [run.customer_id for run in found])
    show.table(
        None if len(found) < limit else f"the newest {limit}; --limit for more",
        ("run", "playbook", "customer", "state", "since (UTC)", "step", "what it waits for, or why it ended"),
        [
            (
                run.id,
                f"{run.playbook} v{run.playbook_version}",
                names.get(run.customer_id, run.customer_id),
                run.state.value,
                f"{run.updated_at:%Y-%m-%d %H:%M}",
                run.step,
                _asks(asked[run.id]) if run.id in asked else _waits(run, stopped),
            )
            for run in found
        ],
    )


@click.command("show")
@click.argument("what", metavar="NAME|RUN")
@click.pass_obj
@asynchronous
async def playbook_show(config: Path | None, what: str) -> None:
    """Show what a playbook does, step by step in words, or what a RUN (run_…) did, waits for and sent."""
    id_ = id_of(what, "playbook_run")
    async with opened(config) as store, store.reading() as connection:
        stopped = await stops.find_stops(connection)
        found = await runs.find_runs(connection, ids=[id_])
        if found:
            await _show_run(connection, found[0], stopped)
            return
        there = load(config).playbooks.playbooks
        if what not in there:
            raise NotFoundError(f"there is no run and no playbook {what!r}; playbooks are: {', '.join(sorted(there))}")
        for line in _lines(there[what], stopped):
            show.say(line)


def id_of(given: str, wanted: str = "customer") -> str:
    """An id in the store, from that or from the API's."""
    try:
        entity, key = parse_id(given)
    except BadInputError:
        return given
    return key if entity == wanted else given


def _lines(playbook: Playbook, stopped: Mapping[str, stops.Stopped]) -> list[str]:
    rest = show_duration(playbook.rest) if playbook.rest else "not at all"
    told = [f"{playbook.name}, version {playbook.version}: {playbook.title}"]
    if playbook.about:
        told.append(playbook.about)
    told.append(f"set off by {playbook.by}" + (f", where {say(playbook.condition)}" if playbook.condition else ""))
    told.append(f"rests {rest}; severity {playbook.severity.value}; speaks about {playbook.reason}")
    if playbook.holdout is not None:
        told.append(f"{100 * playbook.holdout:g} % of customers are held out")
    if (why := _stop(stopped, playbook.name)) != "":
        told.append(f"stopped by {why}")
    return told + _steps(playbook)


def _steps(playbook: Playbook) -> list[str]:
    shown = []
    for step in playbook.steps:
        block = f"{step.path[-2]}: " if step.depth else ""
        unless = f", unless {say(step.unless)}" if step.unless is not None else ""
        shown.append(f"  {'  ' * step.depth}{step.index} {block}{step.action} {summary(step)}{unless}")
    return shown


async def _show_run(connection: Connection, run: Run, stopped: Mapping[str, stops.Stopped]) -> None:
    names = await customers.find_names(connection, [run.customer_id])
    by = f" by {run.started_by}" if run.started_by else ""
    show.say(
        f"{run.id}: {run.playbook} version {run.playbook_version} for {names.get(run.customer_id, run.customer_id)}"
    )
    show.say(f"set off by {run.cause}{by}, {run.started_at:%Y-%m-%d %H:%M} UTC; now {run.state.value}")
    if waits := _waits(run, stopped):
        show.say(waits)
    for each in await approvals.find_approvals(connection, run_ids=[run.id], states=[ApprovalState.OPEN]):
        show.say(_asks(each))
    done = {each.index: each for each in await runs.find_steps(connection, [run.id])}
    for line, step in zip(_steps(playbook := from_definition(run.definition)), playbook.steps, strict=True):
        noted = done.get(step.index)
        here = " <- here" if noted is None and step.index == run.step and run.finished_at is None else ""
        told = "" if noted is None else f" [{noted.done_at:%Y-%m-%d %H:%M} {noted.state}: {noted.detail}]"
        show.say(f"{line}{told}{here}")
    sent = await deliveries.find_deliveries(connection, run_ids=[run.id])
    if sent:
        rows = [(each.id, each.state.value, each.channel, each.address, each.error or each.held or "") for each in sent]
        show.table(None, ("message", "state", "channel", "to", "what became of it"), rows)


def _stop(stopped: Mapping[str, stops.Stopped], playbook: str) -> str:
    found = stops.stop_of(stopped, playbook)
    return "" if found is None else f"{found.stopped_by}: {found.reason}"


def _asks(asked: Approval) -> str:
    until = f", until {asked.expires_at:%Y-%m-%d %H:%M} UTC" if asked.expires_at else ""
    return f"asks {asked.asked_of or 'anybody'}{until}: {asked.question} (cshub playbook approve {asked.run_id})"


def _waits(run: Run, stopped: Mapping[str, stops.Stopped]) -> str:
    if run.error is not None:
        return run.error
    if run.finished_at is not None:
        return ""
    told: Sequence[str] = [
        *([f"stands still, stopped by {why}"] if (why := _stop(stopped, run.playbook)) else []),
        *([f"waits for {WAITS.get(run.awaits, run.awaits)}"] if run.awaits else []),
        *([f"looks again {run.wake_at:%Y-%m-%d %H:%M} UTC at the latest"] if run.wake_at is not None else []),
    ]
    return "; ".join(told)


WAITS: Mapping[str, str] = {
    "date": "its day",
    "condition": "its condition",
    "approval": "an answer",
    "delivery": "what becomes of its messages",
    "run": "what it started elsewhere",
}

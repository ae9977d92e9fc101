"""`cshub onboard`: begin onboardings, say what is done, and see who stands where."""

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import click

from hub.cli import show
from hub.cli.app import asynchronous, main, opened
from hub.clock import utc_now
from hub.compose import Hub
from hub.compose.auditing import audited
from hub.compose.onboarding import OnboardingDesk, keep_onboardings
from hub.lifecycle.onboarding import Done, Journey
from hub.settings import load
from hub.store.customers import find_names
from hub.store.onboarding import Onboarding, find_onboardings

STATES = ("active", "completed", "failed", "cancelled")
PACES = ("on_track", "behind", "stalled")
MARKS = {"done": "✓", "skipped": "-", "left_out": " ", "open": "·"}
_by = click.option("--by", default="command line", show_default=True, help="Who says so, for the record.")
_note = click.option("--note", help="What to remember about it.")


@main.group()
def onboard() -> None:
    """Begin onboardings, say which steps are done, and see who stands where.

    New customers begin by themselves, and steps complete themselves where the data proves them; programmes, steps and
    evidence stand in lifecycle.yaml, what is mailed to whom in playbooks/onboarding_*.yaml. What is left for people:

    \b
    cshub onboard list --pace stalled            who needs you
    cshub onboard show acme.example              every step, who or what completed it, what may be done now
    cshub onboard done acme.example product_tour --note "held it on the phone"
    cshub onboard skip acme.example product_tour
    cshub onboard start acme.example             begin one by hand, or once more after one that failed
    """


@onboard.command("start")
@click.argument("customer")
@click.option("--restart", is_flag=True, help="Also where one is active, which is called off then, or was completed.")
@_by
@click.pass_obj
@asynchronous
async def onboard_start(config: Path | None, customer: str, restart: bool, by: str) -> None:
    """Begin the onboarding of CUSTOMER: an id, a domain or a whole name.

    After one that failed or was called off it is the next attempt. The programme is the first in lifecycle.yaml that is for
    the customer; messages go out through a running `cshub serve` or `cshub worker`.
    """
    request = {"customer": customer, "restart": restart}
    await _ask(
        config,
        "onboardingStart",
        customer,
        request,
        by=by,
        what=lambda desk: desk.start(customer, by=by, restart=restart),
    )


@onboard.command("done")
@click.argument("customer")
@click.argument("step")
@_note
@_by
@click.pass_obj
@asynchronous
async def onboard_done(config: Path | None, customer: str, step: str, note: str | None, by: str) -> None:
    """Say that STEP of CUSTOMER's onboarding is done.

    A step is done once, and when its turn has come; where that is not so, you are told what may be done now.
    """
    request = {"customer": customer, "step": step, "note": note}
    await _ask(
        config,
        "onboardingStepComplete",
        customer,
        request,
        by=by,
        what=lambda desk: desk.complete(customer, step, by=by, note=note),
    )


@onboard.command("skip")
@click.argument("customer")
@click.argument("step")
@_note
@_by
@click.pass_obj
@asynchronous
async def onboard_skip(config: Path | None, customer: str, step: str, note: str | None, by: str) -> None:
    """Pass over an optional STEP of CUSTOMER's onboarding."""
    request = {"customer": customer, "step": step, "note": note}
    await _ask(
        config,
        "onboardingStepSkip",
        customer,
        request,
        by=by,
        what=lambda desk: desk.skip(customer, step, by=by, note=note),
    )


@onboard.command("cancel")
@click.argument("customer")
@click.option("--reason", required=True, help="Why, for the record.")
@_by
@click.pass_obj
@asynchronous
async def onboard_cancel(config: Path | None, customer: str, reason: str, by: str) -> None:
    """Call off the onboarding of CUSTOMER; its reminders end. `start` begins another."""
    request = {"customer": customer, "reason": reason}
    await _ask(
        config,
        "onboardingCancel",
        customer,
        request,
        by=by,
        what=lambda desk: desk.cancel(customer, by=by, reason=reason),
    )


@onboard.command("show")
@click.argument("customer")
@click.option("--json", "as_json", is_flag=True, help="All attempts, as JSON.")
@click.pass_obj
@asynchronous
async def onboard_show(config: Path | None, customer: str, as_json: bool) -> None:
    """Show the onboarding of CUSTOMER: its steps, who or what completed each, and what may be done now."""
    async with Hub.open(load(config), clock=utc_now, work=False) as hub:
        found = await OnboardingDesk(hub).find(customer)
    if as_json:
        show.out.print_json(json.dumps([_plain(each.journey) for each in found]), indent=2)
    elif not found:
        show.say(f"There was none so far. cshub onboard start {customer} begins one.")
    else:
        _show(found[0])
        if len(found) > 1:
            before = ", ".join(
                f"{each.journey.onboarding.attempt} {each.journey.onboarding.state}" for each in found[1:]
            )
            show.say(f"Attempts before: {before}")


@onboard.command("list")
@click.option("--state", type=click.Choice(STATES), multiple=True, help="Default: active. May be given several times.")
@click.option("--pace", type=click.Choice(PACES), multiple=True, help="Only active ones of this pace.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True)
@click.pass_obj
@asynchronous
async def onboard_list(config: Path | None, state: tuple[str, ...], pace: tuple[str, ...], limit: int) -> None:
    """List onboardings, those begun last first."""
    async with opened(config) as store, store.reading() as connection:
        found = await find_onboardings(connection, states=state or ("active",), paces=pace or None, limit=limit)
        names = await find_names(connection, [each.customer_id for each in found])
    if not found:
        show.say("There are none.")
        return
    columns = ("customer", "name", "programme", "attempt", "begun", "state", "pace", "step", "progress")
    show.table(None, columns, [_row(each, names.get(each.customer_id, "")) for each in found])
    if len(found) == limit:
        show.say(f"These are the {limit} begun last; --limit shows more.")


@onboard.command("check")
@click.pass_obj
@asynchronous
async def onboard_check(config: Path | None) -> None:
    """Look at all onboardings now, as every scoring does: begin those of new customers, take in what the data proves.

    Who is told what about it goes out with the next scoring.
    """
    async with Hub.open(load(config), clock=utc_now, work=False) as hub:
        with show.step("Onboardings"):
            kept = await keep_onboardings(hub, now=utc_now())
    show.say(f"{kept.begun} begun, {kept.completed} completed, {kept.failed} failed, {kept.cancelled} called off.")
    show.say(f"{len({change.customer_id for change in kept.changes})} customers stand elsewhere than before.")


async def _ask(
    config: Path | None,
    action: str,
    customer: str,
    request: dict[str, Any],
    *,
    by: str,
    what: Callable[[OnboardingDesk], Awaitable[Done]],
) -> None:
    async with Hub.open(load(config), clock=utc_now, work=False) as hub, hub.working():
        done = await audited(
            hub.store,
            action,
            by=by,
            subject=customer,
            request=request,
            now=utc_now(),
            run=lambda: what(OnboardingDesk(hub)),
        )
    _show(done)


def _show(done: Done) -> None:
    journey, it = done.journey, done.journey.onboarding
    pace = f", {it.pace.replace('_', ' ')}" if it.pace else ""
    show.say(f"{done.customer_name} ({it.customer_id}): {it.state}{pace}, {it.progress:.0%} done")
    begun = f"by {it.started_by}" if it.started_by else "with its subscription"
    show.say(f"programme {it.programme}, attempt {it.attempt}, begun {it.started_at:%Y-%m-%d} {begun}")
    if it.ended_at is not None:
        who = f" by {it.ended_by}" if it.ended_by else ""
        show.say(f"{it.state} {it.ended_at:%Y-%m-%d}{who}: {it.ended_why}")
    may = {each.name for each in journey.allowed()} if it.state == "active" else set()
    show.table(
        None,
        ("", "step", "title", "state", "due", "what is known"),
        [
            (
                "→" if each.name in may else MARKS[each.state],
                each.name,
                each.title + (" (optional)" if each.optional else ""),
                "may be done now" if each.name in may else each.state.replace("_", " "),
                str(each.due_on or "") if each.state == "open" else "",
                _known(each),
            )
            for each in journey.steps
        ],
    )


def _known(step: Any) -> str:
    if step.done_at is None:
        return ""
    who = f"by {step.done_by}" if step.done_by else step.evidence or ""
    often = f", {step.times} times" if step.times > 1 else ""
    return f"{step.done_at:%Y-%m-%d} {who}{often}" + (f": {step.note}" if step.note else "")


def _row(it: Onboarding, name: str) -> tuple[object, ...]:
    return (
        it.customer_id,
        name,
        it.programme,
        it.attempt,
        f"{it.started_at:%Y-%m-%d}",
        it.state,
        (it.pace or "").replace("_", " "),
        it.step or "",
        f"{it.progress:.0%}",
    )


def _plain(journey: Journey) -> dict[str, Any]:
    def plain(row: Any) -> dict[str, Any]:
        values = {name: getattr(row, name) for name in row.__dataclass_fields__}
        return {name: value.isoformat() if hasattr(value, "isoformat") else value for name, value in values.items()}

    return {**plain(journey.onboarding), "steps": [plain(step) for step in journey.steps]}

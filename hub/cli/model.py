"""`cshub model`: the registry of churn models, who is champion and why, and whether one has drifted."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from hub.cli import show
from hub.cli.app import asynchronous, main
from hub.clock import utc_now
from hub.compose import Hub
from hub.settings import load
from hub.store.models import StoredModel
from hub.training.alarm import in_words
from hub.training.drift import DriftReport
from scoring.evaluation import Evaluation

SHOWN_FEATURES = 20
SHOWN_READINGS = 15
_by = click.option("--by", default="command line", show_default=True, help="Who says so, for the record.")
_horizon = click.option("--horizon", metavar="NAME", help="30d, 60d, 90d or renewal.")


@main.group()
def model() -> None:
    """See the churn models, compare challengers with champions, promote one, take it back, look for drift."""


@model.command("list")
@click.option("--all", "everything", is_flag=True, help="Also the retired, and priors that no model stands behind.")
@click.pass_obj
@asynchronous
async def model_list(config: Path | None, everything: bool) -> None:
    """List the models: a champion is shown to people, a challenger predicts beside it unseen."""
    async with _opened(config) as hub:
        found = await hub.models.newest(limit=500)
    kept = [each for each in found if everything or each.role in ("champion", "challenger") or each.kind != "prior"]
    kept = [each for each in kept if everything or each.role != "retired"]
    show.table(
        None,
        ("version", "horizon", "role", "trained", "learned from", "features", "ROC-AUC", "log-loss", "promoted"),
        [
            (
                each.version,
                each.horizon,
                each.role,
                each.trained_at.date(),
                _window(each),
                len(each.features),
                _metric(each, "roc_auc"),
                _metric(each, "log_loss"),
                each.promoted_at.date() if each.promoted_at else "",
            )
            for each in kept
        ],
    )
    if not found:
        show.say("no model has been trained yet: cshub train")


@model.command("show")
@click.argument("version")
@click.pass_obj
@asynchronous
async def model_show(config: Path | None, version: str) -> None:
    """Show what VERSION learned from, how it was judged, and when it became champion."""
    async with _opened(config) as hub:
        found = await hub.models.get(version)
        promotions = [each for each in await hub.models.promotions(horizon=found.horizon) if each.version == version]
    show.say(f"{found.version}: {found.role} of {found.horizon}, trained on {found.trained_at.date()}")
    show.say(f"learned from {_window(found)}; {len(found.features)} features")
    if why := found.parameters.get("why"):
        show.say(f"no model: {why}")
    for name in ("later_snapshots", "other_customers"):
        if judged := found.evaluation.get(name):
            for line in ("", *Evaluation.from_json(judged).lines()):
                show.say(line)
    if found.features:
        more = f", … and {len(found.features) - SHOWN_FEATURES} more" if len(found.features) > SHOWN_FEATURES else ""
        show.say("")
        show.say(f"features: {', '.join(found.features[:SHOWN_FEATURES])}{more}")
    for each in promotions:
        undone = f", taken back on {each.undone_at.date()}" if each.undone_at else ""
        reason = f": {each.reason}" if each.reason else ""
        show.say(f"{each.at.date()} {each.kind} by {each.by}, for {each.previous or 'nobody'}{reason}{undone}")


@model.command("compare")
@_horizon
@click.pass_obj
@asynchronous
async def model_compare(config: Path | None, horizon: str | None) -> None:
    """Compare each challenger with its champion, on snapshots that have come true and neither learned from."""
    async with _opened(config) as hub:
        with show.step("comparing"):
            found = await hub.models.compare(horizon=horizon)
    for each in found:
        for line in (*each.lines(), ""):
            show.say(line)
    if not found:
        show.say("there is no challenger: a training makes one where there is a champion")


@model.command("promote")
@click.argument("version")
@click.option("--force", is_flag=True, help="Even where it is not better beyond noise.")
@click.option("--reason", help="Why; needed with --force.")
@_by
@click.pass_obj
@asynchronous
async def model_promote(config: Path | None, version: str, force: bool, reason: str | None, by: str) -> None:
    """Make VERSION the champion of its horizon; refused, with the numbers, where it is not better beyond noise."""
    async with _opened(config) as hub:
        made = await hub.models.audited(
            "churnModelPromote",
            by=by,
            subject=version,
            request={"version": version, "force": force, "reason": reason},
            run=lambda: hub.models.promote(version, by=by, force=force, reason=reason),
        )
    show.say(f"{made.version} is the champion of {made.horizon} now; before it was {made.previous or 'nobody'}")
    show.say("what it says is shown from the next scoring on: cshub score")


@model.command("rollback")
@_horizon
@click.option("--reason", help="Why, for the record.")
@_by
@click.pass_obj
@asynchronous
async def model_rollback(config: Path | None, horizon: str | None, reason: str | None, by: str) -> None:
    """Make the champion before the one of now champion again. Without --horizon that of the primary one."""
    async with _opened(config) as hub:
        made = await hub.models.audited(
            "churnModelRollback",
            by=by,
            subject=horizon or hub.settings.churn.primary,
            request={"horizon": horizon, "reason": reason},
            run=lambda: hub.models.roll_back(horizon, by=by, reason=reason),
        )
    show.say(f"{made.version} is the champion of {made.horizon} again; {made.previous} is retired")


@model.command("drift")
@_horizon
@click.option(
    "--check", is_flag=True, help="Check now, also what was checked today; otherwise the newest checks are shown."
)
@click.option("--all", "everything", is_flag=True, help="Every feature, not only those that moved most.")
@click.pass_obj
@asynchronous
async def model_drift(config: Path | None, horizon: str | None, check: bool, everything: bool) -> None:
    """Show how far today's customers have moved from those the champions learned from, and what came of predictions."""
    async with _opened(config) as hub:
        if check:
            with show.step("checking"):
                reports = await hub.models.check_drift(again=True)
        else:
            reports = await hub.models.drift()
    shown = [report for report in reports if horizon in (None, report.horizon)]
    for report in shown:
        _show_drift(report, everything=everything)
    if not shown:
        show.say(f"there is no champion{f' of {horizon}' if horizon else ''} yet: cshub train")


def _show_drift(report: DriftReport, *, everything: bool) -> None:
    checked = report.readings or report.notes
    show.say(f"{report.horizon}: {report.model_version}: {report.level.value if checked else 'not checked yet'}")
    shown: Sequence[Any] = report.readings if everything else report.readings[:SHOWN_READINGS]
    for reading in shown:
        show.say(f"  {reading.level:<6}  {in_words(reading)}")
    if len(shown) < len(report.readings):
        show.say(f"  … and {len(report.readings) - len(shown)} more: --all")
    for note in report.notes:
        show.say(f"  {note}")
    if not checked:
        show.say("  the first scoring of a day checks, and so does --check")


def _opened(config: Path | None) -> Any:
    return Hub.open(load(config), clock=utc_now, work=False)


def _window(found: StoredModel) -> str:
    return f"{found.trained_on_from} to {found.trained_on_to}" if found.trained_on_from else "nothing"


def _metric(found: StoredModel, name: str) -> str:
    judged = found.evaluation.get("later_snapshots")
    return f"{judged[name]['value']:.3f}" if judged else ""

"""`cshub evaluate`: any data set through the product's own pipeline, without a store; one line of JSON says how it went."""

import time
from datetime import datetime
from pathlib import Path
from typing import Any

import click
import orjson

from hub.cli.app import main
from hub.cli.plotting import write_plots
from hub.documents import Document
from hub.resources import CONFIG
from scoring import churn_definition
from scoring.churn_definition import ChurnDefinition
from scoring.datasets.backtest import Backtest
from scoring.datasets.eventset import EventSet, Naming
from scoring.datasets.flat import cross_validate, prepare
from scoring.datasets.tables import read
from scoring.datasets.verdict import Verdict

DAY = click.DateTime(["%Y-%m-%d"])
PATH = click.Path(path_type=Path)
ROLES = {
    "customer": "the customer, in every file",
    "time": "the day or time of an event",
    "event": "the kind of an event",
    "count": "how many events a row stands for",
    "value": "an amount that comes with an event, like a price paid",
    "users": "distinct users behind a row",
    "start": "the first day of a paid term",
    "end": "the day a paid term ends; an empty one runs on",
    "mrr": "the monthly price of a term",
    "plan": "the plan of a term",
    "seats": "the seats of a term",
    "months": "the billing period of a term, in months",
    "discount": "the discount of a term",
    "signed-up": "the day a customer began, in accounts",
    "left": "the day a customer left, in accounts; decides instead of terms",
}


@main.group()
def evaluate() -> None:
    """Try the churn pipeline on a data set: its defaults, its calibration, its gate.

    Each command prints one line of JSON: roc_auc, pr_auc, log_loss, brier, ece15 (calibration error over 15 bins), lift_10
    (churn rate of the tenth with the highest risk over that of all), skill (share of the base rate's log-loss saved), their
    90 % intervals, n, positives, and gate: "open", or "closed" and why. No store is needed and nothing is kept.
    """


@evaluate.command()
@click.argument("file", type=PATH)
@click.option("--target", required=True, metavar="COLUMN", help="The column that says who left.")
@click.option("--positive", metavar="VALUE", help="Its value for those who did. Default: 1, yes, true, churned …")
@click.option("--drop", multiple=True, metavar="COLUMNS", help="Columns to leave out, parted by commas.")
@click.option("--sep", default=",", show_default=True, help="What parts the columns of a CSV file.")
@click.option("--plots", type=PATH, metavar="DIR", help="Also write plots of calibration and lift there, as SVG.")
@click.pass_obj
def flat(
    config: Path | None,
    file: Path,
    target: str,
    positive: str | None,
    drop: tuple[str, ...],
    sep: str,
    plots: Path | None,
) -> None:
    """One row a customer (CSV, or Parquet): five stratified folds, each row judged by a model that has not seen it.

    Numbers are taken as they are, texts of few kinds become a column a kind, what is missing stays missing. Ids are left
    out; what else would not be known before a customer leaves is for --drop: columns that tell too much are named as
    suspicious.
    """
    began = time.perf_counter()
    dropped = [name.strip() for names in drop for name in names.split(",") if name.strip()]
    made = prepare(read(file, separator=_separator(sep)), target=target, positive=positive, drop=dropped)
    verdict = cross_validate(made, _definition(config))
    _plot(plots, file.stem, verdict, f"Who left, {file.name}")
    _print(
        file.name,
        {
            **verdict.as_json(),
            "positive": made.positive,
            "left_out": made.left_out,
            "suspicious": made.suspicious,
            "unlabelled": made.unlabelled,
        },
        began,
    )


def _roles(command: Any) -> Any:
    for role, meaning in reversed(ROLES.items()):
        command = click.option(f"--{role}", f"role_{role.replace('-', '_')}", metavar="COLUMN", help=f"{meaning}.")(
            command
        )
    return command


@evaluate.command()
@click.argument("folder", type=PATH)
@click.option("--horizon", type=click.IntRange(7, 365), default=90, show_default=True, help="Days the risk speaks of.")
@click.option("--train-until", type=DAY, required=True, help="The last day learned from.")
@click.option("--test-from", type=DAY, required=True, help="The first day judged on.")
@click.option(
    "--lead", type=click.IntRange(0, 90), default=0, show_default=True, help="Days before the horizon begins."
)
@click.option("--grace", type=click.IntRange(0, 365), help="Days to return in. Default: of churn.yaml.")
@click.option("--minimum-tenure", type=click.IntRange(0, 730), default=14, show_default=True, help="In days.")
@click.option(
    "--active-within", type=click.IntRange(1, 730), help="Without terms: who is at stake. Default: 2 horizons."
)
@click.option("--known-until", type=DAY, help="The last day the data tell of. Default: the newest term or event.")
@click.option("--sep", default=",", show_default=True, help="What parts the columns of CSV files.")
@click.option("--events-file", help="Default: events_daily or events, .parquet or .csv.")
@click.option("--subscriptions-file", help="Default: subscriptions.parquet or .csv, where there is one.")
@click.option("--accounts-file", help="Default: accounts or customers, .parquet or .csv, where there is one.")
@click.option("--plots", type=PATH, metavar="DIR", help="Also write plots of calibration and lift there, as SVG.")
@_roles
@click.pass_obj
def events(
    config: Path | None,
    /,
    folder: Path,
    horizon: int,
    train_until: datetime,
    test_from: datetime,
    lead: int,
    grace: int | None,
    minimum_tenure: int,
    active_within: int | None,
    known_until: datetime | None,
    sep: str,
    plots: Path | None,
    **named: str | None,
) -> None:
    """A log of events (customer, time, event), with paid terms or without: learned from early, judged on late snapshots.

    With subscriptions a customer leaves when the last paid term ends and none begins within the grace; without, by doing
    nothing for the whole horizon. Columns are found by their usual names; the options below name them where they are not.
    A day is not learned from if its horizon reaches past --test-from. Parquet needs the extra cshub[parquet].
    """
    began = time.perf_counter()
    columns = {name.removeprefix("role_"): value for name, value in named.items()}
    columns["terms_file"] = columns.pop("subscriptions_file")
    base = _definition(config)
    definition = ChurnDefinition.model_validate(
        {
            **base.model_dump(),
            "horizons": [horizon],
            "lead_days": lead,
            "grace_days": base.grace_days if grace is None else grace,
            "snapshots": {**base.snapshots.model_dump(), "minimum_tenure_days": minimum_tenure},
        }
    )
    data = EventSet.load(
        folder,
        Naming(columns, _separator(sep)),
        known_until=known_until.toordinal() if known_until else None,
    )
    made = Backtest.of(
        data, definition, train_until=train_until.date(), test_from=test_from.date(), active_within=active_within
    )
    verdict = made.judge(definition)
    _plot(plots, folder.resolve().name, verdict, f"Leaving within {horizon} days, {folder.resolve().name}")
    _print(folder.name, {**verdict.as_json(), **made.as_json()}, began)


def _definition(config: Path | None) -> ChurnDefinition:
    """That of the folder given, else the one that ships: a number to compare should not hang on the working directory."""
    path = (config or CONFIG) / "churn.yaml"
    return churn_definition.load(Document.read(path if path.is_file() else CONFIG / "churn.yaml"))


def _separator(given: str) -> str:
    separator = given.replace("\\t", "\t")
    if len(separator) != 1:
        raise click.BadParameter(f"{given!r} is not one character", param_hint="--sep")
    return separator


def _plot(folder: Path | None, stem: str, verdict: Verdict, title: str) -> None:
    """Where the files are is said on stderr: stdout is the one line of JSON."""
    if folder is not None:
        for path in write_plots(folder, stem, verdict.evaluation, title=title):
            click.echo(f"wrote {path}", err=True)


def _print(name: str, line: dict[str, Any], began: float) -> None:
    seconds = round(time.perf_counter() - began, 2)
    click.echo(orjson.dumps({"data": name, **line, "seconds": seconds}).decode())

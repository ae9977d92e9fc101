"""`cshub report`: how targets stand, and digests looked at before they are sent, or sent now."""

import json
from collections.abc import Sequence
from pathlib import Path

import click

from hub.analytics.targets import Standing
from hub.cli import show
from hub.cli.app import asynchronous, main
from hub.clock import utc_now
from hub.compose.hub import Hub
from hub.compose.reports import Preview
from hub.settings import load

NAMES = ("weekly", "monthly")


@main.group()
def report() -> None:
    """See how targets stand, and look at digests or send them."""


@report.command()
@click.option("--json", "as_json", is_flag=True, help="As JSON, with definitions and components.")
@click.pass_obj
@asynchronous
async def targets(config: Path | None, as_json: bool) -> None:
    """Show the targets of lifecycle.yaml: met, missed, or not known and why.

    Each is a figure of `cshub metrics`, over so many days up to today, beside as many days before them.
    """
    async with Hub.open(load(config), clock=utc_now, work=False) as hub:
        found = await hub.reports.targets()
    if as_json:
        click.echo(json.dumps([each.as_json() for each in found], indent=2))
        return
    if not found:
        show.say("lifecycle.yaml names no targets.")
        return
    _print(found)


def _print(found: Sequence[Standing]) -> None:
    columns = ("target", "goal", "is", "", "was", "trend", "of", "days", "metric")
    show.table(
        None,
        columns,
        [
            (
                each.title,
                each.goal,
                each.actual or "-",
                each.status.value,
                each.was or "-",
                each.trend.value,
                each.value.n,
                each.target.days,
                f"{each.definition.name} ({each.definition.basis} v{each.definition.version})",
            )
            for each in found
        ],
    )
    for each in found:
        if each.why:
            show.say(f"{each.title} is not known: {each.why}")
        if each.coverage is not None:
            show.say(f"{each.title}: scores stand on {each.coverage:.0%} of the data they could stand on")


@report.command()
@click.argument("name", type=click.Choice(NAMES))
@click.option("--of", metavar="ADDRESS", help="The customers of this CSM. Default: all customers.")
@click.option("--html", "page", type=click.Path(path_type=Path, dir_okay=False), help="Write the mail's page to FILE.")
@click.option("--png", "folder", type=click.Path(path_type=Path, file_okay=False), help="Write the pictures into DIR.")
@click.option("--text", "as_text", is_flag=True, help="Print the mail's text. Also where nothing else is asked for.")
@click.option("--by", default="command line", show_default=True, help="Who sends it, for the record.")
@click.option(
    "--send", is_flag=True, help="Send it now to whom lifecycle.yaml names, a worker or the server delivers it."
)
@click.pass_obj
@asynchronous
async def digest(
    config: Path | None,
    name: str,
    of: str | None,
    page: Path | None,
    folder: Path | None,
    as_text: bool,
    by: str,
    send: bool,
) -> None:
    """Look at a digest as it would be now, or send it.

    Sent by hand it is a digest of its own: that of the schedule comes all the same. With --of only that CSM gets theirs,
    without it everybody gets what lifecycle.yaml says.
    """
    async with Hub.open(load(config), clock=utc_now, work=False) as hub:
        if send:
            made = await hub.reports.audited_send(name, of=of, by=by)
            show.say(f"{len(made)} messages are in the ledger: cshub delivery list shows what becomes of them.")
            return
        preview = await hub.reports.preview(name, of=of)
    _write(preview, page, folder)
    if as_text or (page is None and folder is None):
        click.echo(f"Subject: {preview.mail.subject}\n")
        click.echo(preview.mail.payload["text"])


def _write(preview: Preview, page: Path | None, folder: Path | None) -> None:
    if page is not None:
        page.write_text(_standalone(preview), encoding="utf-8")
        show.say(f"{page}: {preview.mail.subject}")
    if folder is None:
        return
    folder.mkdir(parents=True, exist_ok=True)
    for name, png in preview.page.pngs.items():
        (folder / f"{name}.png").write_bytes(png)
        show.say(f"{folder / f'{name}.png'}: {preview.page.charts[name].alt}")
    if not preview.page.pngs:
        show.say("There is nothing to draw.")


def _standalone(preview: Preview) -> str:
    """The page with its pictures in it, as a browser opens it from a file."""
    html = str(preview.mail.payload["html"])
    for each in preview.mail.payload.get("attachments", ()):
        html = html.replace(f'src="cid:{each["name"]}"', f'src="data:{each["type"]};base64,{each["content"]}"')
    return html

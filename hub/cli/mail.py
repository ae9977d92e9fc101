"""`cshub mail`: templates looked at before anybody gets them, the suppression list, and what came back."""

import re
import shutil
import subprocess
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from hub.access.acting import UNNAMED
from hub.cli import show
from hub.cli.app import asynchronous, main
from hub.clock import utc_now
from hub.compose import Hub
from hub.compose.channels import channels
from hub.delivery import Message, Rendered, Renderer
from hub.delivery.mail_templates import UNSUBSCRIBE
from hub.errors import CshubError, RefusedError
from hub.playbooks.previewing import preview
from hub.settings import Settings, load
from hub.store.customers import get_customer
from hub.store.playbooks import Situation, find_situations
from hub.store.suppression import Reason

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PICTURE_SECONDS = 60
_by = click.option("--by", default="command line", show_default=True, help="Who says so, for the record.")


@main.group()
def mail() -> None:
    """Look at mail before it is sent, say who gets none, and see what came back."""


@mail.command("preview")
@click.argument("template")
@click.option("--customer", help="With the values of this customer: an id, a domain or a whole name.")
@click.option(
    "--to", "address", default="contact@example.com", show_default=True, help="As if written to this address."
)
@click.option("--text", is_flag=True, help="The plain text; what is shown where nothing else is asked for.")
@click.option("--html", type=click.Path(path_type=Path, dir_okay=False), help="Write the HTML to this file.")
@click.option("--png", type=click.Path(path_type=Path, dir_okay=False), help="Write a picture of it; needs Chromium.")
@click.option("--width", type=click.IntRange(200, 2000), default=700, show_default=True, help="Of the picture.")
@click.option("--send-to", help="Send it to this address, and nobody else, through the mail server of hub.yaml.")
@click.pass_obj
@asynchronous
async def mail_preview(
    config: Path | None,
    template: str,
    customer: str | None,
    address: str,
    text: bool,
    html: Path | None,
    png: Path | None,
    width: int,
    send_to: str | None,
) -> None:
    """Show mail TEMPLATE with made-up values, or a customer's. Nothing is sent without --send-to."""
    settings = load(config)
    situation = await _situation(settings, customer) if customer is not None else None
    made = preview(
        _renderer(settings),
        template,
        settings.playbooks.playbooks.values(),
        situation=situation,
        company=settings.hub.company,
        product_url=settings.hub.product_url or "",
        hub_url=settings.hub.url,
        now=utc_now(),
    )
    if text or not (html or png or send_to):
        click.echo(f"To: {address}\nSubject: {made.subject}\n\n{made.payload['text']}", nl=False)
    page = _standing_alone(made)
    if html is not None:
        _write(html, page)
        show.say(f"wrote {html}")
    if png is not None:
        _photograph(page, png, width=width)
        show.say(f"wrote {png}")
    if send_to is not None:
        await _send(settings, made, template, send_to)
        show.say(f"sent to {send_to}")


@mail.command("suppress")
@click.argument("address")
@click.option("--topic", default="", help="Only mail about this; without it everything.")
@click.option("--note", help="Why, for whoever wonders.")
@_by
@click.pass_obj
@asynchronous
async def mail_suppress(config: Path | None, address: str, topic: str, note: str | None, by: str) -> None:
    """Send customers' mail to ADDRESS no more; @example.com is everybody there."""
    async with _opened(config) as hub:
        new = await hub.mails.audited(
            "mailSuppress",
            by=by,
            subject=UNNAMED,
            request={"address": address, "topic": topic, "note": note},
            run=lambda: hub.mails.suppress(address, by=by, topic=topic, note=note),
        )
    show.say(
        f"{address} gets no more mail{f' about {topic}' if topic else ''}"
        if new
        else f"{address} is suppressed already"
    )


@mail.command("unsuppress")
@click.argument("address")
@click.option("--topic", help="Only this line of the list; without it all of ADDRESS.")
@_by
@click.pass_obj
@asynchronous
async def mail_unsuppress(config: Path | None, address: str, topic: str | None, by: str) -> None:
    """Take ADDRESS off the suppression list: mail may be sent there again."""
    async with _opened(config) as hub:
        gone = await hub.mails.audited(
            "mailUnsuppress",
            by=by,
            subject=UNNAMED,
            request={"address": address, "topic": topic},
            run=lambda: hub.mails.unsuppress(address, topic=topic),
        )
    for line in gone:
        show.say(f"taken off: {line.show()}")
    if not gone:
        show.say(f"{address} is not on the list")


@mail.command("suppressed")
@click.option("--reason", type=click.Choice([reason.value for reason in Reason]), help="Only these.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=100, show_default=True)
@click.pass_obj
@asynchronous
async def mail_suppressed(config: Path | None, reason: str | None, limit: int) -> None:
    """List who gets no mail, and why, the newest first."""
    async with _opened(config) as hub:
        found = await hub.mails.suppressed(reason=Reason(reason) if reason else None, limit=limit)
    show.table(
        None,
        ("address", "about", "reason", "since (UTC)", "by", "note"),
        [
            (each.address, each.topic or "everything", each.reason.value, _at(each.since), each.by, each.note or "")
            for each in found
        ],
    )
    if not found:
        show.say("nobody is suppressed")


@mail.command("bounces")
@click.option("--address", help="Only of this address.")
@click.option("--read", is_flag=True, help="Read the bounce mailbox of hub.yaml first.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=50, show_default=True)
@click.pass_obj
@asynchronous
async def mail_bounces(config: Path | None, address: str | None, read: bool, limit: int) -> None:
    """List mail that came back, or that was called spam, the newest first."""
    async with _opened(config) as hub:
        if read:
            taken = await hub.mails.read_mailbox()
            show.say(
                f"{taken.new} new, of {taken.matched} messages of ours; {len(taken.suppressed)} addresses suppressed"
            )
        found = await hub.mails.bounces(address=address, limit=limit)
    show.table(
        None,
        ("address", "kind", "status", "at (UTC)", "message", "told by", "reason"),
        [
            (
                each.address,
                each.kind,
                each.status or "",
                _at(each.at),
                each.delivery_id or "",
                each.told_by,
                each.reason or "",
            )
            for each in found
        ],
    )
    if not found:
        show.say("nothing came back")


def _renderer(settings: Settings) -> Renderer:
    return settings.playbooks.renderer


async def _situation(settings: Settings, customer: str) -> Situation:
    async with Hub.open(settings, clock=utc_now, work=False) as hub, hub.store.reading() as connection:
        found = await get_customer(connection, customer)
        return (await find_situations(connection, [found.id], with_contacts=False))[found.id]


def _write(file: Path, page: str) -> None:
    file.write_text(page, encoding="utf-8")


def _standing_alone(made: Rendered) -> str:
    """The HTML with its pictures in it, to be opened as a file."""
    page = str(made.payload["html"]).replace(UNSUBSCRIBE, "#")
    for each in made.payload.get("attachments", ()):
        page = page.replace(f'"cid:{each["name"]}"', f'"data:{each["type"]};base64,{each["content"]}"')
    return page


def _photograph(page: str, file: Path, *, width: int) -> None:
    browser = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if browser is None:
        raise RefusedError(
            f"there is no browser to take a picture with; one of {', '.join(BROWSERS)} is needed, or --html"
        )
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "mail.html")
        source.write_text(page, encoding="utf-8")
        options = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--hide-scrollbars",
            f"--user-data-dir={folder}/profile",
        ]
        wanted = [f"--window-size={width},{_height(page)}", f"--screenshot={file.absolute()}", source.as_uri()]
        try:
            subprocess.run([browser, *options, *wanted], check=True, capture_output=True, timeout=PICTURE_SECONDS)  # noqa: S603  a browser of this machine, on a file of ours
        except (subprocess.SubprocessError, OSError) as error:
            raise RefusedError(f"{browser} took no picture: {type(error).__name__}") from None


def _height(page: str) -> int:
    """Enough for its text, at a guess; the rest of the picture is white."""
    words = re.sub(r"<[^>]*>", "", page)
    return min(4000, 500 + len(words) // 2)


async def _send(settings: Settings, made: Rendered, template: str, address: str) -> None:
    channel = channels(settings).get("email")
    if channel is None:
        raise RefusedError("no mail server is set up: hub.yaml has no `mail:`")
    now = utc_now()
    message = Message(
        dedup_key=f"preview.{template}.{now:%Y%m%d%H%M%S%f}",
        address=address,
        subject=f"[preview] {made.subject}",
        payload=made.payload,
        at=now,
    )
    try:
        await channel.send(message)
    except CshubError as error:
        raise RefusedError(f"it was not sent: {error}") from None


def _opened(config: Path | None) -> Any:
    return Hub.open(load(config), clock=utc_now, work=False)


def _at(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M}"

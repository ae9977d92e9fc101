"""`cshub try` of a source that only receives: where what is sent to it goes, and what came in lately."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from connectors.kit import registry
from hub.cli import show
from hub.settings import Settings
from hub.store import Store
from hub.store.migrate import require_newest
from hub.store.source_events import Received, find_received
from hub.sync import Source

LATELY = timedelta(days=7)


async def show_received(settings: Settings, source: Source, streams: Sequence[str] | None, *, now: datetime) -> None:
    """Of these streams; of all where none is named. NotFoundError for one there is not."""
    names = [each.name for each in source.streams(streams or None)]
    show.say(f"{source.name} only receives: nobody is asked, rows are sent to {_url(settings, source)}")
    show.say(source.connector.manifest.webhooks or "")
    async with Store.open(settings.hub.store) as store:
        await require_newest(store)
        async with store.reading() as connection:
            found = await find_received(connection, source.name, since=now - LATELY)
    came = [each for each in found if each.stream in names]
    if not came:
        show.say(f"nothing came in the last {LATELY.days} days")
        return
    show.table(
        f"what came in the last {LATELY.days} days",
        ("stream", "events", "wait", "given up", "the newest"),
        [_row(each) for each in came],
    )
    for each in came:
        if each.error:
            show.complain(f"{source.name} {each.stream}: {each.error}")


def _row(each: Received) -> tuple[object, ...]:
    return each.stream, each.came, each.pending, each.failed, f"{each.received_at:%Y-%m-%d %H:%M} UTC"


def _url(settings: Settings, source: Source) -> str:
    """Where it is heard; some have paths of their own beside it, as programs of others know them."""
    base = settings.hub.url.rstrip("/")
    paths: Sequence[str] = getattr(registry.webhook(source.connector_name), "PATHS", ())
    own = f" (and, as its libraries do, to {base}{paths[0].rpartition('/')[0]})" if paths else ""
    return f"{base}/hooks/{source.name}{own}"

"""How pages of a source come into the store: mapped, held against the erased, upserted, what is bad put aside.

A sync, a webhook's re-fetch, a repair and a replay share it; each opens the transaction, so that what it remembers of its
own way (a bookmark, the state of an event) lands together with the rows or not at all.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime

from connectors.kit.base import Page, Stream, map_rows
from hub.model.records import Company, Quarantined, Record
from hub.store import Connection, raw_rows
from hub.store.fitting import fit
from hub.store.gone import bury
from hub.store.identity import add_implied, find_customers_by_key
from hub.store.privacy.tombstones import Veil
from hub.store.quarantine import put_quarantine, release_quarantine
from hub.store.records import upsert


@dataclass(frozen=True, slots=True, kw_only=True)
class Landed:
    """What a batch did, in rows. `gone`: records that were marked deleted because the vendor has them no more."""

    pulled: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    quarantined: int = 0
    erased: int = 0
    gone: int = 0

    def plus(self, other: "Landed") -> "Landed":
        return Landed(**{each.name: getattr(self, each.name) + getattr(other, each.name) for each in fields(self)})


class Landing:
    """Of one source, for as long as one piece of work lasts: what is known of the erased is kept between batches.

    run_id  of that work
    raw     whether rows are kept as they came, too
    veil    what keeps the erased from coming back
    """

    def __init__(self, source: str, *, run_id: str, raw: bool = False) -> None:
        self.source, self.run_id, self.raw = source, run_id, raw
        self.veil = Veil()

    async def land(
        self, connection: Connection, stream: Stream, pages: Sequence[Page], *, historical: bool, now: datetime
    ) -> Landed:
        """Store the rows of `pages` in their order. historical: of a first pull, see `hub.store.records.upsert`."""
        mapped, bad, gone = _mapped(stream, pages)
        records, unfit = fit(mapped)
        bad += unfit
        name = self.source
        kept, erased = await self.veil.over(connection, records, source=name)
        bad, unsaid = self.veil.over_bad(bad, source=name)
        named = {record.company_key for record in kept if record.company_key is not None}
        companies = {record.key for record in kept if isinstance(record, Company)}
        # asked each time: another source's sync, or a person, may have decided since the last batch
        customers = await find_customers_by_key(connection, name, named)
        await add_implied(connection, name, named - customers.keys() - companies, now=now)
        counts = await upsert(connection, kept, source=name, now=now, historical=historical, customers=customers)
        buried = await bury(connection, stream.makes[0], gone, source=name, now=now)
        await release_quarantine(connection, name, stream.name, [record.key for record in records])
        await put_quarantine(connection, name, stream.name, bad, now=now)
        if self.raw:
            await self._keep_raw(connection, stream, pages, now=now)
        return Landed(
            pulled=sum(len(page.rows) + len(page.faults) for page in pages),
            new=counts.new,
            changed=counts.changed,
            unchanged=counts.unchanged,
            quarantined=len(bad),
            erased=erased + unsaid,
            gone=buried,
        )

    async def _keep_raw(self, connection: Connection, stream: Stream, pages: Sequence[Page], *, now: datetime) -> None:
        """After the veil has looked: nothing of the erased."""
        came = [Quarantined(key=stream.key(raw), reason="", raw=raw) for page in pages for raw in page.rows]
        kept, _ = self.veil.over_bad(came, source=self.source)
        rows = [(row.key, row.raw) for row in kept]
        await raw_rows.keep(connection, self.source, stream.name, rows, run_id=self.run_id, now=now)


def _mapped(stream: Stream, pages: Sequence[Page]) -> tuple[list[Record], list[Quarantined], set[str]]:
    """Records, bad rows, and the keys that are gone once all pages have been: what comes back after it was gone is not."""
    records: list[Record] = []
    bad: list[Quarantined] = []
    gone: set[str] = set()
    for page in pages:
        made, refused = map_rows(stream, page.rows)
        if gone:
            gone -= {record.key for record in made if isinstance(record, stream.makes[0])}
        gone.update(page.gone)
        records += made
        bad += refused
        bad += page.faults
    return records, bad, gone

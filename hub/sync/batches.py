"""Pages ahead of the store: the vendor is asked for the next ones while a batch lands."""

import asyncio
from collections.abc import AsyncIterator

from anyio import create_memory_object_stream

from connectors.kit.base import Page

PAGES_AHEAD = 4
PAGES_PER_BATCH = 20
ROWS_PER_BATCH = 2_000


async def batches(pages: AsyncIterator[Page]) -> AsyncIterator[list[Page]]:
    """Pull a few pages ahead of the store, and hand over batches of about `ROWS_PER_BATCH` rows."""
    send, receive = create_memory_object_stream[Page](PAGES_AHEAD)

    async def pull() -> None:
        async with send:
            async for page in pages:
                await send.send(page)

    puller = asyncio.create_task(pull())
    try:
        batch: list[Page] = []
        async for page in receive:
            batch.append(page)
            rows = sum(len(page.rows) + len(page.gone) for page in batch)
            if rows >= ROWS_PER_BATCH or len(batch) >= PAGES_PER_BATCH:
                yield batch
                batch = []
        if batch:
            yield batch
        await puller  # what was pulled has landed; now the error that ended it, if one did
    finally:
        puller.cancel()
        receive.close()
        await asyncio.gather(puller, return_exceptions=True)

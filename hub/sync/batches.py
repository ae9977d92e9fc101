"""Pages ahead of the store: the vendor is asked for the next ones while a batch lands.

    async with batches(stream.pull(client, window)) as batched:
        async for pages in batched: …

On the way out nobody is asking any more, however it ends: a client may be closed behind it.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

from anyio import create_memory_object_stream

from connectors.kit.base import Page

PAGES_AHEAD = 4
PAGES_PER_BATCH = 20
ROWS_PER_BATCH = 2_000


@asynccontextmanager
async def batches(pages: AsyncIterator[Page]) -> AsyncIterator[AsyncIterator[list[Page]]]:
    """Pull a few pages ahead of the store, and hand over batches of about `ROWS_PER_BATCH` rows."""
    send, receive = create_memory_object_stream[Page](PAGES_AHEAD)

    async def pull() -> None:
        async with send:
            async for page in pages:
                await send.send(page)

    async def handed() -> AsyncIterator[list[Page]]:
        batch: list[Page] = []
        rows = 0
        async for page in receive:
            batch.append(page)
            rows += len(page.rows) + len(page.gone)
            if rows >= ROWS_PER_BATCH or len(batch) >= PAGES_PER_BATCH:
                yield batch
                batch, rows = [], 0
        if batch:
            yield batch
        await puller  # what was pulled has landed; now the error that ended it, if one did

    puller = asyncio.create_task(pull())
    try:
        yield handed()
    finally:
        puller.cancel()
        receive.close()
        await asyncio.gather(puller, return_exceptions=True)
        if isinstance(pages, AsyncGenerator):  # it may hold a second client, or a file
            await pages.aclose()

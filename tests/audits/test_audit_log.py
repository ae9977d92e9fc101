"""Several processes write the audit log at once, by each of its ways, and some of them give up half way: one chain, no gap."""

import asyncio
import sys
from pathlib import Path

from click.testing import CliRunner, Result
from sqlalchemy import select

from hub.cli import main
from hub.store import Store
from hub.store.tables import audit_record

PROCESSES, TURNS = 2, 12
WRITE = """
import asyncio, random, sys
from datetime import UTC, datetime
from hub.store import Store, audit

NOW = datetime(2026, 11, 1, tzinfo=UTC)
chance = random.Random(sys.argv[2])

def record(kind):
    detail = {"request": {"by": sys.argv[2], "note": "x" * chance.randrange(200)}}
    return audit.Record(entry_id=audit.new_entry(), kind=kind, at=NOW, actor="ann", token_id=None, action="a", subject="s",
                        detail=detail)

class GivenUpError(Exception):
    pass

async def reads(store):
    for _ in range(TURNS):
        await audit.append_alone(store, [record("read") for _ in range(chance.randrange(1, 4))])

async def deeds(store):
    for turn in range(TURNS):
        try:
            async with store.transaction() as connection:
                await audit.append(connection, [record("asked")])
                await asyncio.sleep(chance.random() / 100)
                if turn % 4 == 3:
                    raise GivenUpError
        except GivenUpError:
            pass

async def main():
    async with Store.open(sys.argv[1]) as store:
        sys.stdout.write("here\\n"); sys.stdout.flush()
        sys.stdin.readline()
        await asyncio.gather(reads(store), deeds(store), reads(store), deeds(store))

TURNS = int(sys.argv[3])
asyncio.run(main())
"""


def verified(config: Path, url: str) -> Result:
    arguments = ["--config", str(config), "audit", "verify"]
    return CliRunner(env={"CSHUB_STORE": url}).invoke(main, arguments, catch_exceptions=False)


async def test_processes_that_write_at_once_make_one_chain(store: Store, store_url: str, tmp_path: Path) -> None:
    pipe = asyncio.subprocess.PIPE
    processes = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-c", WRITE, store_url, str(number), str(TURNS), stdin=pipe, stdout=pipe
        )
        for number in range(PROCESSES)
    ]
    try:
        for each in processes:
            assert each.stdout is not None
            assert await asyncio.wait_for(each.stdout.readline(), 60) == b"here\n"
        for each in processes:
            assert each.stdin is not None
            each.stdin.write(b"go\n")
        assert await asyncio.gather(*(asyncio.wait_for(each.wait(), 60) for each in processes)) == [0] * PROCESSES
    finally:
        for each in processes:
            if each.returncode is None:
                each.kill()
                await each.wait()
    ran = await asyncio.to_thread(verified, tmp_path, store_url)
    assert ran.exit_code == 0, ran.output
    async with store.reading() as connection:
        found = (await connection.execute(select(audit_record.c.number, audit_record.c.kind))).all()
    assert sorted(row.number for row in found) == list(range(1, len(found) + 1))
    assert sum(row.kind == "asked" for row in found) == PROCESSES * 2 * (TURNS - TURNS // 4)
    assert sum(row.kind == "read" for row in found) >= PROCESSES * 2 * TURNS

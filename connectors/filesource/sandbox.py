"""Files of the simulated company: its NPS answers, as an export drops them in a folder, some a file.

`fill` writes them; nothing of a folder is served over HTTP, so `app` has nothing to say.
"""

import gzip
from collections.abc import Callable, Collection, Mapping
from os import utime
from pathlib import Path
from tempfile import gettempdir
from typing import Any

import orjson
from starlette.applications import Starlette

from connectors.kit.sandbox import Faults, assemble
from connectors.kit.simulated import NpsAnswer, World

A_FILE = 5


def app(world: Callable[[], World], *, token: str, faults: Faults) -> Starlette:
    return assemble([], faults=faults)


def settings(base_url: str, *, token: str) -> dict[str, Any]:
    """A source of a folder; `token` is a part of its name."""
    return source_of(Path(gettempdir()) / f"cshub-filesource-{token}")


def source_of(folder: Path) -> dict[str, Any]:
    """Settings that read the answers in `folder`."""
    return {
        "location": f"{folder}/*.jsonl.gz",
        "record": "survey_response",
        "key": "id",
        "company_key": "company",
        "columns": {"respondent_email": "who"},
        "constants": {"type": "nps", "scale": "0-10"},
    }


def truth(world: World) -> Mapping[str, Collection[str]]:
    return {"rows": [f"nps-{answer.number}" for answer in world.nps]}


def fill(folder: Path, world: World) -> None:
    """Write a file for every few answers; one that is there and would be the same is left alone."""
    domains = {account.number: account.domain for account in world.accounts}
    emails = {person.number: person.email for person in world.people}
    folder.mkdir(exist_ok=True)
    for first in range(0, len(world.nps), A_FILE):
        some = world.nps[first : first + A_FILE]
        lines = b"".join(orjson.dumps(_row(answer, domains, emails)) + b"\n" for answer in some)
        path = folder / f"answers-{first:04}.jsonl.gz"
        if not path.exists() or gzip.decompress(path.read_bytes()) != lines:
            path.write_bytes(gzip.compress(lines))
            utime(path, (some[-1].at.timestamp(),) * 2)


def _row(answer: NpsAnswer, domains: Mapping[int, str], emails: Mapping[int, str]) -> dict[str, Any]:
    return {
        "id": f"nps-{answer.number}",
        "company": domains.get(answer.account),
        "who": emails.get(answer.person),
        "score": answer.score,
        "comment": answer.comment,
        "responded_at": answer.at,
    }

"""A demo's folder, and the simulated company that was founded in it: kept, so that the next demo finds the same one."""

import json
import shutil
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from pathlib import Path

from hub.errors import CshubError

COMPANY = "company.json"
"""What makes a folder a demo's."""
DAYS_PER_MONTH = 30.4375
NEWCOMERS = 20
"""One of so many customers signs in the last weeks, where days are played."""


class DemoError(CshubError):
    """The demo could not be brought up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """Which simulated company: its seed, size, and first day."""

    seed: int
    customers: int
    months: int
    started_on: date
    newcomers: int = 0

    @classmethod
    def of(cls, folder: Path, *, seed: int, customers: int, months: int, days: int, today: date) -> "Company":
        """The company of this folder, founded `months` ago where there is none yet."""
        path = folder / COMPANY
        if path.exists():
            known = json.loads(path.read_text(encoding="utf-8"))
            return cls(**{**known, "started_on": date.fromisoformat(known["started_on"])})
        started_on = today - timedelta(days=round(months * DAYS_PER_MONTH))
        newcomers = max(2, customers // NEWCOMERS) if days else 0
        made = cls(seed=seed, customers=customers, months=months, started_on=started_on, newcomers=newcomers)
        values = asdict(made) | {"started_on": started_on.isoformat()}
        new = path.with_suffix(".new")
        new.write_text(json.dumps(values), encoding="utf-8")
        new.replace(path)  # whole or not at all: a demo may be killed at any moment
        return made


def prepared(folder: Path, *, fresh: bool) -> Path:
    if fresh and folder.exists() and any(folder.iterdir()):
        if not (folder / COMPANY).exists():
            raise DemoError(f"{folder} holds no demo; it is not emptied. Choose another --folder, or empty it yourself")
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    return folder.resolve()

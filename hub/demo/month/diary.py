"""Which days a demo has lived: written after every step, so that a demo that was killed goes on where it was."""

import json
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

FILE = "month.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Diary:
    """begins: its first day. prepared: the past before it is synced, learned from and scored. steps: how many are done."""

    folder: Path
    begins: date
    days: int
    prepared: bool = False
    steps: int = 0
    over: bool = False

    @classmethod
    def of(cls, folder: Path, *, days: int, today: date, new: bool) -> "Diary":
        """The one of this folder; of a `new` demo one that begins `days` ago. An older demo without one plays no days."""
        path = folder / FILE
        if path.exists():
            known = json.loads(path.read_text(encoding="utf-8"))
            return cls(**{**known, "begins": date.fromisoformat(known["begins"]), "folder": folder})
        made = cls(folder=folder, begins=today - timedelta(days=days), days=days, over=days == 0 or not new)
        made.write()
        return made

    @property
    def first(self) -> datetime:
        """The moment the past ends."""
        return datetime.combine(self.begins, time.min, UTC)

    def noted(self, *, prepared: bool = True, steps: int | None = None, over: bool = False) -> "Diary":
        """The same, further on; it is on disk when this returns."""
        made = replace(self, prepared=prepared, steps=self.steps if steps is None else steps, over=over)
        made.write()
        return made

    def write(self) -> None:
        path = self.folder / FILE
        values = asdict(self) | {"begins": self.begins.isoformat()}
        del values["folder"]
        new = path.with_suffix(".new")
        new.write_text(json.dumps(values), encoding="utf-8")
        new.replace(path)  # whole or not at all: a demo may be killed at any moment

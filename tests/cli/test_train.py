"""`cshub train` says of every horizon what it is worth, and draws it where asked."""

import asyncio
from pathlib import Path

import pytest

from hub.cli import score as score_commands
from hub.store import Store
from tests.cli.conftest import Cli
from tests.test_training import NOW, history, put


def test_train_prints_every_horizon_and_draws_what_was_judged(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(score_commands, "utc_now", lambda: NOW)
    assert "no model: 0 customers have left so far, and 20 are needed to learn from" in cli("train").stdout

    async def fill() -> None:
        async with Store.open(f"sqlite:///{cli.store}") as store:
            await put(store, history(100))

    asyncio.run(fill())
    said = cli("train", "--plots", str(tmp_path / "plots")).stdout
    horizons = ("within 90 days", "within 30 days", "within 60 days", "at the next renewal")
    assert all(f"Leaving {horizon}:" in said for horizon in horizons)
    assert "warning lead" in said
    drawn = sorted(path.name for path in (tmp_path / "plots").iterdir())
    assert {"churn-90d-calibration.svg", "churn-90d-lift.svg"} <= set(drawn)
    assert said.count("wrote ") == len(drawn)
    assert "Leaving within 90 days, later snapshots" in (tmp_path / "plots" / "churn-90d-lift.svg").read_text()

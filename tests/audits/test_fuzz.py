"""A minute of fuzzing, by hand or in a nightly run: pytest -m fuzz."""

from pathlib import Path

import pytest

from tests.audits.fuzz import fuzz


@pytest.mark.fuzz
@pytest.mark.parametrize("role", ["admin", "viewer"])
def test_nothing_gives_way(tmp_path: Path, role: str) -> None:
    assert fuzz(tmp_path, seconds=30, role=role, seed=7) == []

"""What docs/delighted.md shows is a source that reads the file it shows."""

import re
from datetime import UTC, datetime
from pathlib import Path

import yaml

from connectors.kit.pull import read
from connectors.kit.registry import build
from hub.model.records import SurveyResponse, SurveyType

PAGE = Path(__file__).parents[2] / "docs/delighted.md"


async def test_the_example_reads_the_file_beside_it(tmp_path: Path) -> None:
    blocks = dict(re.findall(r"```(csv|yaml)\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL))
    path = tmp_path / "delighted.csv"
    path.write_text(blocks["csv"], encoding="utf-8")
    settings = yaml.safe_load(blocks["yaml"])["delighted"]["settings"]
    connector = build("csvfile", {**settings, "location": str(path)})
    (sample,) = [sample async for sample in read(connector, now=datetime(2026, 11, 23, tzinfo=UTC))]
    assert (sample.error, list(sample.quarantined)) == (None, [])
    first, second = sample.records
    assert isinstance(first, SurveyResponse)
    assert isinstance(second, SurveyResponse)
    assert (first.key, first.company_key, first.type, first.scale, first.score, first.comment, first.respondent_email) == (
        "54350001", "9000000001", SurveyType.NPS, "0-10", 9.0, "Good, fast", "nia@acme.example",
    )  # fmt: skip
    assert (first.version, first.responded_at) == (1_767_261_660_000, datetime(2026, 1, 1, 10, tzinfo=UTC))
    assert (second.score, second.comment) == (3.0, None)

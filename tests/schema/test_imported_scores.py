"""Scores of another platform, beside our own health."""

from datetime import timedelta
from typing import Any

from hub.store import Store, tables
from tests.schema.company import NOW, customer_row, insert, record
from tests.schema.fakes import Ask

QUERY = """
query ($source: String, $name: String, $after: String) {
  customers(first: 1) { nodes {
    importedScores(first: 2, source: $source, name: $name, after: $after) {
      totalCount pageInfo { endCursor } nodes { source name value rawValue scale label scoredAt }
    }
  } }
}
"""


async def _seed(store: Store) -> None:
    await insert(store, tables.customer, [customer_row(0), customer_row(1)])
    rows = [("old", "Health", 0.9, 90.0, "Green"), ("old", "Health", None, None, "NA"), ("old", "Support", 0.5, 50.0, "Red"),
            ("older", "Health", 0.1, 10.0, "Red")]  # fmt: skip
    columns = [
        {"name": name, "value": value, "raw_value": raw, "scale": "0-100", "label": label, "scored_at": NOW - timedelta(days=n)}
        for n, (_, name, value, raw, label) in enumerate(rows)
    ]  # fmt: skip
    kept = [record(row[0], f"s{n}", "c000", **columns[n]) for n, row in enumerate(rows)]
    gone = record("old", "gone", "c000", deleted=True, **columns[0])
    await insert(store, tables.imported_score, [*kept, gone, record("old", "other", "c001", **columns[0])])


async def test_they_come_newest_first_and_by_source_and_name(ask: Ask, store: Store) -> None:
    await _seed(store)

    async def page(**variables: str) -> Any:
        body = await ask(QUERY, variables)
        assert "errors" not in body, body
        return body["data"]["customers"]["nodes"][0]["importedScores"]

    first = await page()
    assert first["totalCount"] == 4
    assert [each["label"] for each in first["nodes"]] == ["Green", "NA"]
    assert first["nodes"][1] == {
        "source": "old", "name": "Health", "value": None, "rawValue": None, "scale": "0-100", "label": "NA",
        "scoredAt": (NOW - timedelta(days=1)).isoformat(),
    }  # fmt: skip
    beyond = await page(after=first["pageInfo"]["endCursor"])
    assert [(each["source"], each["name"]) for each in beyond["nodes"]] == [("old", "Support"), ("older", "Health")]
    assert [each["value"] for each in (await page(source="old", name="Health"))["nodes"]] == [0.9, None]
    assert (await page(name="Nobody's"))["totalCount"] == 0

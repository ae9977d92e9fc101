"""Where customers stand, through the API: the columns of the lifecycle, and pages of what changed; both databases."""

from datetime import timedelta

from hub.store import Store
from hub.store.lifecycle import write_lifecycles
from tests.schema.company import NOW, seed
from tests.schema.fakes import Ask

QUERY = """
query ($first: Int = 20, $after: String, $field: [LifecycleField!]) {
  customers(first: 2, orderBy: {field: NAME}) { nodes { name
    lifecycle { watchLevel watchDays churnLevel onboardingState renewalStatus advocacy updatedAt }
    lifecycleChanges(first: $first, after: $after, field: $field) {
      totalCount pageInfo { hasNextPage endCursor } nodes { field old new changedAt }
    }
  } }
}
"""


async def stand(store: Store, day: int, watch: str | None, churn: str | None) -> None:
    row = {"watch_level": watch, "watch_days": 0.0, "churn_level": churn}
    async with store.transaction() as connection:
        await write_lifecycles(connection, {"c001": row}, now=NOW + timedelta(days=day))


async def test_levels_and_their_history_are_read_with_the_customer(ask: Ask, store: Store) -> None:
    await seed(store, 2)
    await stand(store, 0, "clear", "clear")
    await stand(store, 1, "critical", "clear")
    await stand(store, 2, "critical", None)
    body = await ask(QUERY)
    assert "errors" not in body
    by_name = {node["name"]: node for node in body["data"]["customers"]["nodes"]}
    first, second = by_name["Customer 001"], by_name["Customer 000"]
    assert (second["lifecycle"], second["lifecycleChanges"]["totalCount"]) == (None, 0)
    standing = first["lifecycle"]
    assert (standing["watchLevel"], standing["watchDays"], standing["churnLevel"]) == ("CRITICAL", 0.0, None)
    assert (standing["onboardingState"], standing["renewalStatus"], standing["advocacy"]) == (None, None, None)
    changes = [(each["field"], each["old"], each["new"]) for each in first["lifecycleChanges"]["nodes"]]
    assert changes[:2] == [("CHURN_LEVEL", "clear", None), ("WATCH_LEVEL", "clear", "critical")]
    assert sorted(changes[2:]) == [("CHURN_LEVEL", None, "clear"), ("WATCH_LEVEL", None, "clear")]


async def test_the_history_comes_in_pages_and_of_chosen_fields(ask: Ask, store: Store) -> None:
    await seed(store, 2)
    for day, level in enumerate(("clear", "warning", "critical", "warning")):
        await stand(store, day, level, "clear")
    seen, after = [], None
    while True:
        body = await ask(QUERY, {"first": 2, "after": after, "field": ["WATCH_LEVEL"]})
        _, node = sorted(body["data"]["customers"]["nodes"], key=lambda each: str(each["name"]))
        page = node["lifecycleChanges"]
        assert page["totalCount"] == 4
        seen += [each["new"] for each in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert seen == ["warning", "critical", "warning", "clear"]


async def test_changes_of_one_moment_come_each_once(ask: Ask, store: Store) -> None:
    await seed(store, 2)
    await stand(store, 0, "clear", "clear")
    await stand(store, 1, "warning", "medium")
    await stand(store, 2, "critical", "high")
    seen, after = [], None
    for _ in range(6):
        body = await ask(QUERY, {"first": 1, "after": after})
        _, node = sorted(body["data"]["customers"]["nodes"], key=lambda each: str(each["name"]))
        seen += [(each["field"], each["new"]) for each in node["lifecycleChanges"]["nodes"]]
        after = node["lifecycleChanges"]["pageInfo"]["endCursor"]
    assert len(set(seen)) == 6
    assert {field for field, _ in seen[:2]} == {"WATCH_LEVEL", "CHURN_LEVEL"}

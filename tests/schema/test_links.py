"""Links signed for one person are not shown to who may read the ledger."""

from pathlib import Path
from typing import Any

from sqlalchemy import update

from hub.store import Store
from hub.store.tables import delivery
from schema.links import without_signatures
from tests.schema.company import seed

QUERY = "{ customers(first: 1) { nodes { playbookRuns(first: 1) { nodes { deliveries { payload } } } } } }"
TOKEN = "eyJpbnZpdGF0aW9uIjoiaSJ9.c2lnbmF0dXJl_-"


def test_what_is_signed_is_cut() -> None:
    sent = {
        "text": f"Rate: https://hub.example/rate/{TOKEN}.\nOpen: https://hub.example/customers/cus_1",
        "html": f'<a href="https://hub.example/survey/{TOKEN}?score=9">9</a>',
        "lines": [f"<https://hub.example/unsubscribe/{TOKEN}>", 3, None],
    }
    shown = without_signatures(sent)
    assert shown == {
        "text": "Rate: https://hub.example/rate/…\nOpen: https://hub.example/customers/cus_1",
        "html": '<a href="https://hub.example/survey/…?score=9">9</a>',
        "lines": ["<https://hub.example/unsubscribe/…>", 3, None],
    }


def test_pages_of_signed_links_are_known() -> None:
    web = Path(__file__).parents[2] / "hub" / "web"
    signing = [each.read_text(encoding="utf-8") for each in web.glob("*.py")]
    paths = [
        line.split('"')[1]
        for text in signing
        if "links.sign(" in text
        for line in text.splitlines()
        if line.startswith("PATH = ")
    ]
    assert paths, "pages that sign links say where they are"
    for path in paths:
        assert without_signatures(f"https://hub.example{path}{TOKEN}") == f"https://hub.example{path}…"


async def test_a_message_in_the_api_has_no_signature(ask: Any, store: Store) -> None:
    await seed(store, 1)
    async with store.transaction() as connection:
        await connection.execute(update(delivery).values(payload={"text": f"https://hub.example/rate/{TOKEN}"}))
    body = await ask(QUERY)
    [run] = body["data"]["customers"]["nodes"][0]["playbookRuns"]["nodes"]
    assert {each["payload"]["text"] for each in run["deliveries"]} == {"https://hub.example/rate/…"}

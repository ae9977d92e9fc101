import json
from hub.store import Store
from tests.schema.company import seed
from tests.schema.fakes import Ask
from tests.schema.everything import EVERYTHING

async def test_x(ask: Ask, store: Store) -> None:
    await seed(store, 2)
    body = await ask(EVERYTHING, {"first": 1})
    print(json.dumps(body, indent=1, default=str)[:9000])
    assert "errors" not in body

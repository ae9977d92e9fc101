"""A churn risk says which model it is of; where there is none, how wide the interval of what is shown instead is."""

from sqlalchemy import update

from hub.store import Store
from hub.store.tables import churn_model
from schema.nodes import global_id
from tests.schema.company import seed
from tests.schema.fakes import Ask

QUERY = """query ($id: ID!) { customer(id: $id) { churnRisk {
    confidence model { version kind role horizon why prior { rate low high rows churned } } } } }"""


async def test_a_prior_says_its_interval_and_why(ask: Ask, store: Store) -> None:
    await seed(store, 1)
    why = "7 customers have left so far, and 20 are needed to learn from"
    prior = {"rate": 0.03, "low": 0.01, "high": 0.05, "rows": 300, "churned": 7}
    async with store.transaction() as connection:
        await connection.execute(update(churn_model).values(kind="prior", parameters={"prior": prior, "why": why}))
    body = await ask(QUERY, {"id": global_id("customer", "c000")})
    made = body["data"]["customer"]["churnRisk"]["model"]
    assert made == {"version": "m1", "kind": "prior", "role": "champion", "horizon": "90d", "why": why, "prior": prior}


async def test_a_model_has_no_why(ask: Ask, store: Store) -> None:
    await seed(store, 1)
    body = await ask(QUERY, {"id": global_id("customer", "c000")})
    made = body["data"]["customer"]["churnRisk"]["model"]
    assert (made["kind"], made["why"], made["prior"]) == ("xgboost", None, None)


async def test_the_champion_of_a_horizon(ask: Ask, store: Store) -> None:
    await seed(store, 1)
    body = await ask('{ churnModel { version } renewal: churnModel(horizon: "renewal") { version } }')
    assert body["data"] == {"churnModel": {"version": "m1"}, "renewal": None}

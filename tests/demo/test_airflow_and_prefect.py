"""Airflow and Prefect over real HTTP, against servers that speak as they do: one run a message, whatever gets lost."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from typing import Any

import pytest

from hub.delivery import Message, Refusal, Rejected, Uncertain
from hub.delivery.airflow import AirflowChannel, AirflowService
from hub.delivery.prefect import PrefectChannel, PrefectService
from hub.demo.airflow import Airflow
from hub.demo.prefect import Prefect
from tests.fakes.serving import serving

AT = datetime(2026, 11, 1, 12, tzinfo=UTC)
KEY = "save.1.0.0123456789abcdef"
LOOPBACK = (ip_network("127.0.0.0/8"),)
FLOW = "score/nightly"
UNEXPECTED = "Error creating flow run: Validation failed. Unexpected parameters:"


def message(payload: Mapping[str, Any], *, to: str = "data", key: str = KEY) -> Message:
    return Message(dedup_key=key, address=to, payload=payload, at=AT)


@asynccontextmanager
async def airflow(**options: Any) -> AsyncIterator[tuple[Airflow, AirflowChannel]]:
    made = Airflow({"cshub": "open"}, tokens={"static"}, dags=frozenset({"save_plan"}))
    async with serving(made.app()) as url:
        given = {"username": "cshub", "password": "open"} | options
        yield made, AirflowChannel({"data": AirflowService(url=url, **given)}, allowed=LOOPBACK)


@asynccontextmanager
async def prefect(*, header: str | None = None, **options: Any) -> AsyncIterator[tuple[Prefect, PrefectChannel]]:
    made = Prefect({FLOW: frozenset({"customer"})}, authorization=header)
    async with serving(made.app()) as url:
        yield made, PrefectChannel({"data": PrefectService(url=f"{url}/api/", **options)}, allowed=LOOPBACK)


START = {"dag": "save_plan", "conf": {"customer": "acme"}}
DEPLOY = {"deployment": FLOW, "parameters": {"customer": "acme"}}


async def test_a_dag_run_has_our_key_for_its_id() -> None:
    async with airflow() as (there, channel):
        assert await channel.send(message(START)) == {"dag": "save_plan", "dag_run_id": KEY, "status": 200}
        assert [(run["dag_run_id"], run["conf"]) for run in there.runs.values()] == [(KEY, {"customer": "acme"})]
        assert await channel.send(message(START)) == {"dag": "save_plan", "dag_run_id": KEY, "status": 409}
        assert (len(there.runs), there.given) == (1, 1), "one run, and one token for both"


async def test_a_start_whose_answer_was_lost_is_found_again() -> None:
    async with airflow() as (there, channel):
        there.faults.lost_answers = 1
        with pytest.raises(Uncertain, match="Airflow data failed with 502 and may have started the DAG 'save_plan'"):
            await channel.send(message(START))
        assert (await channel.send(message(START)))["status"] == 409
        assert len(there.runs) == 1


async def test_a_token_that_has_run_out_is_got_anew() -> None:
    async with airflow() as (there, channel):
        await channel.send(message(START))
        there.tokens.clear()
        assert (await channel.send(message(START, key="save.1.0.b")))["status"] == 200
        assert (len(there.runs), there.given) == (2, 2)


async def test_a_token_of_the_settings_is_used_as_it_is() -> None:
    async with airflow(username=None, password=None, token="static") as (there, channel):
        assert (await channel.send(message(START)))["status"] == 200
        there.tokens.clear()
        with pytest.raises(Rejected, match="does not let us start the DAG 'save_plan' \\(401\\)") as caught:
            await channel.send(message(START, key="other"))
        assert (caught.value.kind, len(there.runs), there.given) == (Refusal.DENIED, 1, 0)


async def test_what_airflow_refuses() -> None:
    async with airflow() as (there, channel):
        for payload, reason, kind in (
            ({"dag": "nope"}, "Airflow data does not know the DAG 'nope' (404)", Refusal.PERMANENT),
            (START | {"dag": "a/../b"}, "Airflow data does not know the DAG 'a/../b' (404)", Refusal.PERMANENT),
        ):
            with pytest.raises(Rejected) as caught:
                await channel.send(message(payload))
            assert (caught.value.reason, caught.value.kind) == (reason, kind)
        there.faults.rate_limited, there.faults.retry_after = 1, 7
        with pytest.raises(Rejected, match="asks to wait") as caught:
            await channel.send(message(START))
        assert caught.value.retry_after == timedelta(seconds=7)
        with pytest.raises(Rejected, match="no Airflow 'crm' is set up; there are: data"):
            await channel.send(message(START, to="crm"))
        assert there.runs == {}
    async with airflow(password="wrong") as (there, channel):
        with pytest.raises(Rejected, match="Airflow data gives us no token \\(401\\)") as caught:
            await channel.send(message(START))
        assert (caught.value.kind, there.runs) == (Refusal.DENIED, {})


async def test_a_private_address_must_be_named() -> None:
    made = Airflow({}, tokens={"static"}, dags=frozenset({"save_plan"}))
    async with serving(made.app()) as url:
        channel = AirflowChannel({"data": AirflowService(url=url, token="static")})
        with pytest.raises(Rejected, match="Airflow data is at a private address: name its network under airflow"):
            await channel.send(message(START))
        assert made.runs == {}
        assert ("static" in repr(AirflowService(url=url, token="static")), repr(channel)) == (
            False,
            "AirflowChannel(data)",
        )


async def test_a_flow_run_is_one_run_a_key() -> None:
    async with prefect() as (there, channel):
        first = await channel.send(message(DEPLOY))
        again = await channel.send(message(DEPLOY | {"deployment": there.id_of(FLOW)}))
        (run,) = there.runs.values()
        assert first == {"deployment": FLOW, "flow_run_id": run["id"], "name": "run-0", "status": 201}
        assert (again["flow_run_id"], again["status"]) == (run["id"], 200)
        assert (run["parameters"], run["idempotency_key"], run["tags"]) == ({"customer": "acme"}, KEY, ["cshub"])


async def test_a_flow_run_whose_answer_was_lost_is_found_again() -> None:
    async with prefect() as (there, channel):
        there.faults.lost_answers = 1
        with pytest.raises(Uncertain, match="may have started the deployment"):
            await channel.send(message(DEPLOY))
        assert (await channel.send(message(DEPLOY)))["status"] == 200
        assert len(there.runs) == 1


@pytest.mark.parametrize(
    ("options", "header"), [({"key": "pnu_1"}, "Bearer pnu_1"), ({"auth": "admin:pass"}, "Basic YWRtaW46cGFzcw==")]
)
async def test_how_prefect_lets_us_in(options: Mapping[str, str], header: str) -> None:
    async with prefect(header=header, **options) as (there, channel):
        assert (await channel.send(message(DEPLOY)))["status"] == 201
    async with prefect(header=header) as (there, channel):
        with pytest.raises(Rejected, match="does not let us start") as caught:
            await channel.send(message(DEPLOY))
        assert (caught.value.kind, there.runs) == (Refusal.DENIED, {})


async def test_what_prefect_refuses() -> None:
    async with prefect() as (there, channel):
        for payload, reason in (
            ({"deployment": "a/b"}, "Prefect data does not know the deployment 'a/b' (404)"),
            (
                DEPLOY | {"parameters": {"colour": "red"}},
                f"Prefect data refuses to start the deployment '{FLOW}' (409): {UNEXPECTED} ['colour']",
            ),
        ):
            with pytest.raises(Rejected) as caught:
                await channel.send(message(payload))
            assert (caught.value.reason, caught.value.kind) == (reason, Refusal.PERMANENT)
        with pytest.raises(Rejected, match="no Prefect 'crm' is set up"):
            await channel.send(message(DEPLOY, to="crm"))
        assert there.runs == {}

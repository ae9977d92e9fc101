"""`wait_for`: what a run started elsewhere is followed until it has ended, on both databases."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_network

import pytest

from hub.delivery import Channel
from hub.delivery.airflow import AirflowChannel, AirflowService
from hub.delivery.prefect import PrefectChannel, PrefectService
from hub.demo.airflow import Airflow
from hub.demo.prefect import Prefect
from hub.errors import ConfigError
from hub.model.actions import DeliveryState, RunState
from hub.playbooks.spec import from_definition
from hub.playbooks.telling import summary
from hub.store import Store
from tests.fakes.clock import START
from tests.fakes.serving import serving
from tests.playbooks.conftest import Folder, World, entered
from tests.playbooks.test_steps import HEAD, begin, noted, state

LOOPBACK = (ip_network("127.0.0.0/8"),)
DAG = "  - airflow: {service: data, dag: save_plan, wait_for: 6 hours%s}\n  - task: {title: Call}\n"
FLOW = "  - prefect: {service: flows, deployment: score/nightly, wait_for: 1 hour%s}\n  - task: {title: Call}\n"


@dataclass
class Elsewhere:
    world: World
    airflow: Airflow
    prefect: Prefect

    async def minute(self) -> None:
        """The sweep of the next minute, and what comes of it."""
        self.world.clock.move(minutes=1)
        await self.world.playbooks.sweep(now=self.world.clock())
        await self.world.settle(2)

    async def titles(self) -> list[str]:
        return [each.title for each in await self.world.alerts()]


@asynccontextmanager
async def elsewhere(store: Store, folder: Folder) -> AsyncIterator[Elsewhere]:
    airflow = Airflow({"hub": "pass"}, dags=frozenset({"save_plan"}))
    prefect = Prefect({"score/nightly": frozenset()})
    async with serving(airflow.app()) as one, serving(prefect.app()) as two:
        service = AirflowService(url=one, username="hub", password="pass")
        ways: dict[str, Channel] = {
            "airflow": AirflowChannel({"data": service}, allowed=LOOPBACK),
            "prefect": PrefectChannel({"flows": PrefectService(url=f"{two}/api")}, allowed=LOOPBACK),
        }
        async with entered(store, folder, channels=ways) as world:
            yield Elsewhere(world, airflow, prefect)


@pytest.mark.parametrize(
    ("ends", "run_state", "detail", "titles"),
    [
        ("success", RunState.DONE, "its run at data ended: success", ["Call"]),
        ("failed", RunState.FAILED, "its run at data ended: failed", []),
    ],
)
async def test_it_goes_on_with_what_became_of_it(
    store: Store, folder: Folder, ends: str, run_state: RunState, detail: str, titles: list[str]
) -> None:
    folder.playbook(HEAD + DAG % "")
    async with elsewhere(store, folder) as there:
        run_id = await begin(there.world)
        assert await state(there.world, run_id) == (RunState.WAITING, "run")
        (dag_run,) = there.airflow.runs.values()
        dag_run["state"] = "running"
        dag_run["conf"] = {"long": "x" * 100_000}  # an answer that is longer than a refusal
        there.airflow.tokens.clear()  # ours has run out
        await there.minute()
        assert await state(there.world, run_id) == (RunState.WAITING, "run")
        (sent,) = await there.world.deliveries()
        assert (sent.receipt or {})["run"] == {"state": "running", "ended": False, "succeeded": False}
        assert (await noted(there.world, run_id), await there.titles()) == ([], [])
        dag_run["state"] = ends
        await there.minute()
        assert (await state(there.world, run_id))[0] is run_state
        assert (await noted(there.world, run_id))[0] == (
            0,
            "airflow",
            "done" if ends == "success" else "failed",
            detail,
        )
        assert (await there.titles(), len(there.airflow.runs)) == (titles, 1)


@pytest.mark.parametrize(
    ("kind", "title"), [("COMPLETED", "Call"), ("CRASHED", "Mend"), ("CANCELLED", "Mend"), (None, "Mend")]
)
async def test_what_did_not_succeed_is_a_failure(
    sqlite_store: Store, folder: Folder, kind: str | None, title: str
) -> None:
    folder.playbook(HEAD + FLOW % ", on_failure: [{task: {title: Mend}}, {stop: mended}]")
    async with elsewhere(sqlite_store, folder) as there:
        run_id = await begin(there.world)
        (key, flow_run), *_ = there.prefect.runs.items()
        if kind is None:
            del there.prefect.runs[key]
        else:
            flow_run["state"] = {"type": kind, "name": kind.title()}
        await there.minute()
        assert (await there.titles(), (await state(there.world, run_id))[0]) == ([title], RunState.DONE)
        told = "gone" if kind is None else kind.lower()
        assert (await noted(there.world, run_id))[0][3] == f"its run at flows ended: {told}"


async def test_it_is_not_waited_for_for_ever(store: Store, folder: Folder) -> None:
    folder.playbook(HEAD + FLOW % ", on_failure: continue")
    async with elsewhere(store, folder) as there:
        run_id = await begin(there.world)
        there.prefect.authorization = "Bearer other"  # it lets us in no more
        await there.minute()
        (sent,) = await there.world.deliveries()
        assert (sent.receipt or {})["run"] == {"error": "Prefect flows does not say how the run stands (401)"}
        there.world.clock.now = START + timedelta(minutes=59)
        await there.world.settle(2)
        assert await state(there.world, run_id) == (RunState.WAITING, "run")
        there.world.clock.now = START + timedelta(hours=1)
        await there.world.settle(3)
        assert (await there.titles(), await state(there.world, run_id)) == (["Call"], (RunState.DONE, None))
        assert (await noted(there.world, run_id))[0] == (
            0,
            "prefect",
            "failed",
            (
                "its run at flows has not ended in time; the last that is known: "
                "Prefect flows does not say how the run stands (401)"
            ),
        )


async def test_what_never_began_is_not_waited_for(sqlite_store: Store, folder: Folder) -> None:
    folder.playbook(HEAD + (DAG % "").replace("save_plan", "other"))
    async with elsewhere(sqlite_store, folder) as there:
        run_id = await begin(there.world)
        assert (await state(there.world, run_id))[0] is RunState.FAILED
        ((_, _, _, detail),) = await noted(there.world, run_id)
        assert detail == "to data: Airflow data does not know the DAG 'other' (404)"
        assert [each.state for each in await there.world.deliveries()] == [DeliveryState.FAILED]


async def test_a_stopped_playbook_stays_where_it_stands(sqlite_store: Store, folder: Folder) -> None:
    folder.playbook(HEAD + DAG % "")
    async with elsewhere(sqlite_store, folder) as there:
        run_id = await begin(there.world)
        (dag_run,) = there.airflow.runs.values()
        await there.world.playbooks.stop("save", by="ann@example.com", reason="no")
        dag_run["state"] = "success"
        await there.minute()
        assert (await state(there.world, run_id), await there.titles()) == ((RunState.WAITING, "run"), [])
        await there.world.playbooks.start("save", by="ann@example.com")
        await there.minute()
        assert (await state(there.world, run_id), await there.titles()) == ((RunState.DONE, None), ["Call"])


def test_in_words_and_back(folder: Folder) -> None:
    folder.playbook(HEAD + DAG % "" + FLOW % "")
    playbook = folder.load().playbooks["save"]
    assert from_definition(playbook.definition) == playbook
    assert [summary(step) for step in playbook.steps if step.action != "task"] == [
        "starts the DAG save_plan at data and waits 6 hours at most for its end",
        "starts the deployment score/nightly at flows and waits 1 hour at most for its end",
    ]
    folder.playbook(HEAD + "  - airflow: {service: data, dag: x, wait_for: success}\n")
    with pytest.raises(ConfigError, match=r"do.0.airflow.wait_for: 'success' is no duration; durations are such as 45"):
        folder.load()

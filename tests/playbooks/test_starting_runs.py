"""Steps that start runs elsewhere: through the ledger, once, held by the kill switch like every message."""

from contextlib import AsyncExitStack
from datetime import timedelta
from ipaddress import ip_network

import pytest

from hub.delivery import Channel
from hub.delivery.airflow import AirflowChannel, AirflowService
from hub.delivery.prefect import PrefectChannel, PrefectService
from hub.demo.airflow import Airflow
from hub.demo.prefect import Prefect
from hub.errors import ConfigError
from hub.model.actions import DeliveryState
from hub.playbooks.spec import from_definition
from hub.playbooks.telling import summary
from tests.fakes.serving import serving
from tests.playbooks.conftest import TODAY, Folder, World, entered
from tests.playbooks.test_steps import HEAD, begin, noted

ID = "5f7c9a52-1f2d-4d3e-9a53-0d6b6f4d7c11"
STEPS = f"""
  - airflow: {{service: data, dag: save_plan, conf: {{customer: "{{{{ customer.id }}}}", n: 3}}, on_failure: stop}}
  - prefect: {{service: flows, deployment: score/nightly, parameters: {{customer: "{{{{ customer.name }}}}"}}}}
  - prefect: {{service: other, deployment: {ID}, optional: true}}
"""
LOOPBACK = (ip_network("127.0.0.0/8"),)


async def test_both_start_once(each_world: World, folder: Folder) -> None:
    folder.playbook(HEAD + STEPS)
    there, flows = (
        Airflow({}, tokens={"t"}, dags=frozenset({"save_plan"})),
        Prefect({"score/nightly": frozenset({"customer"})}),
    )
    async with serving(there.app()) as one, serving(flows.app()) as two:
        ways: dict[str, Channel] = {
            "airflow": AirflowChannel({"data": AirflowService(url=one, token="t")}, allowed=LOOPBACK),
            "prefect": PrefectChannel({"flows": PrefectService(url=f"{two}/api")}, allowed=LOOPBACK),
        }
        async with entered(each_world.store, folder, channels=ways) as world:
            there.faults.lost_answers = 1
            run_id = await begin(world)
            world.clock.move(minutes=2)
            await world.settle(4)
            assert await noted(world, run_id) == [
                (0, "airflow", "done", "to data"),
                (1, "prefect", "done", "to flows"),
                (2, "prefect", "skipped", "prefect 'other' is not set up, and the step is optional"),
            ]
            (dag_run,), (flow_run,) = there.runs.values(), flows.runs.values()
            assert (dag_run["conf"], flow_run["parameters"]) == ({"customer": "acme", "n": 3}, {"customer": "Acme"})
            sent = {each.channel: each for each in await world.deliveries()}
            assert {each.state for each in sent.values()} == {DeliveryState.CONFIRMED}
            assert sent["airflow"].receipt == {
                "dag": "save_plan",
                "dag_run_id": sent["airflow"].dedup_key,
                "status": 409,
            }
            assert (sent["airflow"].attempts, sent["prefect"].attempts) == (2, 1)


async def test_the_kill_switch_holds_what_is_reserved(each_world: World, folder: Folder) -> None:
    folder.playbook(HEAD + "  - airflow: {service: data, dag: save_plan}\n")
    there = Airflow({}, tokens={"t"}, dags=frozenset({"save_plan"}))
    async with serving(there.app()) as url, AsyncExitStack() as stack:
        way = AirflowChannel({"data": AirflowService(url=url, token="t")}, allowed=LOOPBACK)
        world = await stack.enter_async_context(entered(each_world.store, folder, channels={"airflow": way}))
        await world.customer("acme", health=0.4)
        await world.playbooks.fire_due(as_of=TODAY, now=world.clock())
        (run,) = await world.runs()
        await world.playbooks.advance(run.id, 0)
        await world.playbooks.stop("save", by="ann@example.com", reason="no")
        await world.settle(3)
        assert (there.runs, [each.state for each in await world.deliveries()]) == ({}, [DeliveryState.RESERVED])
        await world.playbooks.start("save", by="ann@example.com")
        await world.settle(3)
        assert len(there.runs) == 1


def test_in_words_and_back(folder: Folder) -> None:
    folder.playbook(HEAD + STEPS)
    playbook = folder.load().playbooks["save"]
    assert from_definition(playbook.definition) == playbook
    assert [summary(step) for step in playbook.steps] == [
        "starts the DAG save_plan at data",
        "starts the deployment score/nightly at flows",
        f"starts the deployment {ID} at other",
    ]
    assert playbook.channels == {"airflow", "prefect"}
    assert playbook.busy == timedelta(0)


@pytest.mark.parametrize(
    ("step", "fault"),
    [
        ("airflow: {service: data, dag: 'a b'}", "do.0.airflow.dag: 'a b' must be the id of a DAG"),
        ("airflow: {dag: x}", "do.0.airflow.service: is missing"),
        ("airflow: {service: data, dag: x, conf: {a: '{{ oops }}'}}", "'oops' is undefined"),
        ("prefect: {service: data, deployment: x}", "do.0.prefect.deployment: 'x' must be flow/deployment, or"),
        ("prefect: {service: data, deployment: a/b, conf: {}}", "do.0.prefect.conf: is not a setting here"),
    ],
)
def test_faults(folder: Folder, step: str, fault: str) -> None:
    folder.playbook(f"{HEAD}  - {step}\n")
    with pytest.raises(ConfigError) as caught:
        folder.load()
    assert fault in str(caught.value)

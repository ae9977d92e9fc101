"""Steps that are passed over: switched off by the file, or optional where their channel is not set up."""

from datetime import timedelta

import pytest

from hub.delivery.pagerduty import PagerDutyChannel
from hub.errors import ConfigError
from hub.model.actions import RunState
from hub.playbooks.spec import from_definition
from hub.playbooks.telling import summary
from tests.fakes.clock import START
from tests.playbooks.conftest import Folder, World, entered
from tests.playbooks.test_steps import HEAD, begin, noted, state

OFF = """
  - approve: {ask: 'Go?', off: true, declined: [{task: {title: Declined}}]}
  - wait: {for: 3 days, off: true}
  - slack: {channel: "#alerts", template: note, off: true}
  - branch: {when: {health: {lt: 1}}, off: true, then: [{task: {title: Then}}]}
  - stop: {reason: enough, off: true}
  - task: {title: Call, off: false}
"""


async def test_what_is_off_is_passed_over_with_all_its_blocks(world: World, folder: Folder) -> None:
    folder.playbook(HEAD + OFF)
    async with entered(world.store, folder) as off:
        run_id = await begin(off)
        assert await noted(off, run_id) == [
            (0, "approve", "skipped", "switched off"),
            (2, "wait", "skipped", "switched off"),
            (3, "slack", "skipped", "switched off"),
            (4, "branch", "skipped", "switched off"),
            (6, "stop", "skipped", "switched off"),
            (7, "task", "done", "Call (ann@example.com)"),
        ]
        assert [each.title for each in await off.alerts()] == ["Call"]
        assert (await off.deliveries(), off.slack.received) == ([], [])
        assert await state(off, run_id) == (RunState.DONE, None)


async def test_a_dry_run_says_so_and_counts_no_time(world: World, folder: Folder) -> None:
    folder.playbook(HEAD + OFF)
    async with entered(world.store, folder) as off:
        await off.customer("acme")
        (firing,) = await off.playbooks.fire(
            "save", ["acme"], by="ann@example.com", key="k", now=off.clock(), dry_run=True
        )
        assert [(each.index, each.after, each.skipped) for each in firing.plan if each.index in (0, 2, 7)] == [
            (0, timedelta(0), "switched off"),
            (2, timedelta(0), "switched off"),
            (7, timedelta(0), None),
        ]


async def test_a_run_that_waits_keeps_the_version_in_which_its_step_is_not_off(world: World, folder: Folder) -> None:
    folder.playbook(HEAD + "  - approve: {ask: 'Go?'}\n  - task: {title: Call}\n")
    async with entered(world.store, folder) as asking:
        run_id = await begin(asking)
    off = HEAD.replace("version: 1", "version: 2\nreplaces: running") + "  - approve: {ask: 'Go?', off: true}\n"
    folder.playbook(off + "  - task: {title: Call}\n")
    async with entered(world.store, folder) as replaced:
        replaced.clock.now = START + timedelta(hours=1)
        await replaced.playbooks.sweep(now=replaced.clock())
        await replaced.settle(1)
        assert await state(replaced, run_id) == (RunState.WAITING, "approval")


def test_off_in_words_and_back(folder: Folder) -> None:
    folder.playbook(HEAD + OFF)
    playbook = folder.load().playbooks["save"]
    assert from_definition(playbook.definition) == playbook
    assert summary(playbook.steps[0]) == (
        "switched off: asks csm: Go? Waits 3 days for an answer; declined it goes on, unanswered it ends"
    )
    assert summary(playbook.steps[7]) == "Call (normal, owner csm)"
    assert playbook.channels == frozenset()
    assert playbook.busy == timedelta(0)


PAGING = """
  - pagerduty: {service: cs, summary: Look, optional: true}
  - pagerduty: {service: ops, summary: Look, optional: true}
  - webhook: {endpoint: crm, event: a.b, optional: true, on_failure: [{task: {title: Failed}}]}
  - webhook: {endpoint: crm, event: a.b}
"""


async def test_an_optional_message_goes_only_where_it_can(world: World, folder: Folder) -> None:
    folder.playbook(HEAD + PAGING)
    async with entered(world.store, folder) as paging:
        paging.channels["pagerduty"] = PagerDutyChannel({"ops": "k" * 32}, base_url="http://127.0.0.1:9")
        run_id = await begin(paging)
        assert await noted(paging, run_id) == [
            (0, "pagerduty", "skipped", "pagerduty 'cs' is not set up, and the step is optional"),
            (1, "pagerduty", "done", "to ops"),
            (2, "webhook", "skipped", "webhook is not set up, and the step is optional"),
            (4, "webhook", "done", "to crm"),
        ]
        assert sorted((each.channel, each.address) for each in await paging.deliveries()) == [
            ("pagerduty", "ops"),
            ("webhook", "crm"),
        ]
        assert await paging.alerts() == []


@pytest.mark.parametrize(
    ("step", "fault"),
    [
        ("wait: {for: 3 days, off: 1}", "do.0.wait.off: must be true or false, not 1"),
        ("task: {title: x, optional: true}", "do.0.task.optional: is not a setting here"),
        ("slack: {channel: '#a', template: note, optional: maybe}", "do.0.slack.optional: must be true or false"),
        ("stop: {reason: x}\n  - task: {title: y}", "do.1: is never reached"),
        ("task: {title: '{{ oops }}', off: true}", "'oops' is undefined"),
    ],
)
def test_faults(folder: Folder, step: str, fault: str) -> None:
    folder.playbook(f"{HEAD}  - {step}\n")
    with pytest.raises(ConfigError) as caught:
        folder.load()
    assert fault in str(caught.value)

"""What every connector has to be, checked on each folder the registry finds: see rules_paper.py and rules_use.py.

A connector's author writes nothing for this: manifest, fixtures and sandbox are enough. All rules a connector breaks are
told at once.
"""

import logging
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from connectors.kit import registry
from hub.store import Store
from tests.connectors.rules_paper import PAPER, Folder
from tests.connectors.rules_use import USE
from tests.connectors.suite import SERVED, Vendor
from tests.connectors.trial import Trial
from tests.connectors.troubles import WORLD_RULES

Rule = Callable[[Any], Awaitable[None] | None]
RULES = {rule.__name__ for rule in (*PAPER, *USE)} | set(WORLD_RULES)


async def kept(rules: tuple[Rule, ...], of: Folder | Trial, exempt: dict[str, str]) -> list[str]:
    """What is wrong with the rules: those that are broken, and exemptions from those that are not."""
    wrong = []
    for rule in rules:
        try:
            waited = rule(of)
            if waited is not None:
                await waited
        except AssertionError as error:
            if rule.__name__ not in exempt:
                wrong.append(f"{rule.__name__}: {rule.__doc__}\n    {error}")
        else:
            if rule.__name__ in exempt:
                wrong.append(f"{rule.__name__}: the manifest excuses it from a rule it keeps; take the exemption out")
    return wrong


@pytest.mark.parametrize("name", registry.names())
async def test_its_folder_is_complete(name: str) -> None:
    exempt = dict(registry.manifest(name).exempt)
    wrong = await kept(PAPER, Folder(name), exempt)
    if unknown := sorted(exempt.keys() - RULES):
        wrong.append(f"exempt: there are no rules {', '.join(unknown)}; there are: {', '.join(sorted(RULES))}")
    assert not wrong, f"{name}:\n" + "\n".join(wrong)


@pytest.mark.parametrize("name", SERVED)
async def test_it_keeps_the_rules_before_its_sandbox(
    name: str,
    serve: Any,
    sqlite_store: Store,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    trial = Trial(Vendor(name, serve, monkeypatch), sqlite_store, lambda: caplog.text, monkeypatch)
    wrong = await kept(USE, trial, dict(registry.manifest(name).exempt))
    assert not wrong, f"{name}:\n" + "\n".join(wrong)


def test_the_connectors_are_found() -> None:
    assert {"csvfile", "hubspot", "mixpanel", "zendesk"} <= set(registry.names())

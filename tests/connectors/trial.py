"""A connector before its sandbox, as the rules of its use find it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from connectors.kit.base import Stream
from hub.store import Store
from tests.connectors.suite import Vendor, emptied


@dataclass
class Trial:
    """A connector before its sandbox, with a store; `log` is everything that was logged so far."""

    vendor: Vendor
    store: Store
    log: Callable[[], str]
    monkeypatch: pytest.MonkeyPatch

    @property
    def streams(self) -> tuple[Stream, ...]:
        return self.vendor.source.connector.streams()

    async def whole(self) -> None:
        """The store is as the vendor is."""
        self.calm()
        self.vendor.time.pass_(hours=2)
        await self.vendor.calm_sync(await emptied(self.store), after="undisturbed")

    def calm(self) -> None:
        self.vendor.before = lambda _path, _number: None

    def first_of_each(self, **faults: Any) -> set[str]:
        """Strike the first request of each stream; which ones were struck."""
        struck = set[str]()

        def before(_path: str, number: int) -> None:
            if number == 1:
                struck.add(self.vendor.stream)
                for name, value in faults.items():
                    setattr(self.vendor.faults, name, value)

        self.vendor.before = before
        return struck

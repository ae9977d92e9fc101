"""Onboarding wired: kept after every scoring, changed by people, and playbooks that wait for it woken at once."""

from datetime import datetime
from typing import TYPE_CHECKING

from hub.lifecycle import onboarding
from hub.lifecycle.onboarding import Done, Kept

if TYPE_CHECKING:
    from hub.compose.hub import Hub


async def keep(hub: "Hub", now: datetime) -> None:
    """An area of the lifecycle; see hub.compose.lifecycle."""
    await keep_onboardings(hub, now=now)


async def keep_onboardings(hub: "Hub", *, now: datetime) -> Kept:
    return await onboarding.keep_onboardings(hub.store, hub.settings.lifecycle.onboarding, now=now)


class OnboardingDesk:
    """What people do about onboardings. Playbooks look at once; needs the engine started."""

    def __init__(self, hub: "Hub") -> None:
        self._hub = hub

    async def start(self, customer: str, *, by: str, restart: bool = False) -> Done:
        now = self._hub.clock()
        settings = self._hub.settings.lifecycle.onboarding
        done = await onboarding.start(self._hub.store, settings, customer, by=by, now=now, restart=restart)
        return await self._told(done, now=now)

    async def complete(self, customer: str, step: str, *, by: str, note: str | None = None) -> Done:
        now = self._hub.clock()
        settings = self._hub.settings.lifecycle.onboarding
        done = await onboarding.complete(self._hub.store, settings, customer, step, by=by, now=now, note=note)
        return await self._told(done, now=now)

    async def skip(self, customer: str, step: str, *, by: str, note: str | None = None) -> Done:
        now = self._hub.clock()
        settings = self._hub.settings.lifecycle.onboarding
        done = await onboarding.skip(self._hub.store, settings, customer, step, by=by, now=now, note=note)
        return await self._told(done, now=now)

    async def cancel(self, customer: str, *, by: str, reason: str) -> Done:
        now = self._hub.clock()
        done = await onboarding.cancel(self._hub.store, customer, by=by, reason=reason, now=now)
        return await self._told(done, now=now)

    async def find(self, customer: str) -> list[Done]:
        return await onboarding.find(self._hub.store, customer)

    async def _told(self, done: Done, *, now: datetime) -> Done:
        await self._hub.playbooks.fire_changes(now=now)
        return done

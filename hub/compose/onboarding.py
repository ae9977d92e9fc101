"""Onboarding wired: kept after every scoring, changed by people, and playbooks that wait for it woken at once."""

from datetime import datetime
from typing import TYPE_CHECKING

from hub.lifecycle import onboarding
from hub.lifecycle.onboarding import Done, Kept
from schema.context import OnboardingRequest

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

    async def complete(self, customer: str, step: str | None, *, by: str, note: str | None = None) -> Done:
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


class OnboardingActions:
    """The part of `schema.context.Actions` that is about onboarding; the caller has checked who may."""

    _hub: "Hub"

    async def onboard(self, request: OnboardingRequest, *, now: datetime) -> str:
        desk, who, by = OnboardingDesk(self._hub), request.customer_id, request.by
        match request.kind:
            case "start":
                done = await desk.start(who, by=by, restart=request.restart)
            case "complete":
                done = await desk.complete(who, request.step, by=by, note=request.note)
            case "skip":
                done = await desk.skip(who, request.step or "", by=by, note=request.note)
            case "cancel":
                done = await desk.cancel(who, by=by, reason=request.note or "")
        return done.journey.onboarding.id

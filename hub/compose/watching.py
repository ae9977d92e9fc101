"""The health watch of a hub: its scales are made of lifecycle.yaml, and of the bands of health.yaml and churn.yaml."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from hub.lifecycle.watch import Scales, keep, switch_off

if TYPE_CHECKING:
    from hub.compose.hub import Hub
    from hub.settings import Settings


def scales_of(settings: "Settings") -> Scales:
    watch = settings.lifecycle.watch
    return Scales(health=watch.health_scale(settings.health.main.bands), churn=watch.churn_scale(settings.churn.bands))


async def keep_watch(hub: "Hub", now: datetime) -> None:
    watch = hub.settings.lifecycle.watch
    if not watch.enabled:
        await switch_off(hub.store, now=now)
        return
    await keep(hub.store, scales_of(hub.settings), look_back=timedelta(days=watch.look_back_days), now=now)

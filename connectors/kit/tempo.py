"""How fast the seconds of rate limits pass: those of budgets, of pauses between attempts, and of the sandboxes' own limits.

Outside a simulation they are seconds. `cshub demo`, which plays a month in a minute, lets them pass as fast as its days, in
its own process and in the sandboxes'.
"""

import asyncio
import time

_faster = 1.0
_began = _seconds = 0.0


def run_at(faster: float) -> None:
    """Let so many seconds pass in one, from now on; what passed before stays as it was. ValueError unless positive."""
    global _faster, _began, _seconds
    if faster <= 0:
        raise ValueError(f"time goes forward, not {faster} times as fast")
    _seconds, _began, _faster = monotonic(), time.monotonic(), faster


def monotonic() -> float:
    return _seconds + (time.monotonic() - _began) * _faster


async def sleep(seconds: float) -> None:
    await asyncio.sleep(seconds / _faster)

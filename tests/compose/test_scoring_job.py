"""Scoring a day looks at the models too, whoever asks for it: the schedule, or the demo."""

from types import SimpleNamespace
from typing import Any, cast

from hub.compose import Hub
from hub.compose.jobs import score_and_check
from hub.demo.run import Demo


def recorder(done: list[str]) -> Hub:
    async def score() -> str:
        done.append("score")
        return "scored"

    async def check_drift() -> None:
        done.append("drift")

    return cast("Hub", SimpleNamespace(score=score, models=SimpleNamespace(check_drift=check_drift)))


async def test_a_day_is_scored_and_then_the_models_are_checked() -> None:
    done: list[str] = []
    scored: Any = await score_and_check(recorder(done))
    assert (scored, done) == ("scored", ["score", "drift"])


async def test_the_demo_does_the_same() -> None:
    done: list[str] = []
    nothing: Any = SimpleNamespace(folder=None)
    running = Demo(nothing, nothing, nothing, nothing, {"url": "http://127.0.0.1:1", "staff": {}})
    running.hub = recorder(done)
    scored: Any = await running.score()
    assert (scored, done) == ("scored", ["score", "drift"])

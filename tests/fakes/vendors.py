"""`hub.demo.sandboxes` without its rate limits: for tests that sync more often in a minute than a vendor allows in an hour."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from connectors.kit.sandbox import Limiter  # noqa: E402  the path comes first
from hub.demo.sandboxes import main  # noqa: E402


def hit(limiter: Limiter) -> tuple[bool, int, float]:
    return True, limiter.requests, 0.0


if __name__ == "__main__":
    Limiter.hit = hit  # type: ignore[method-assign]  the point of this program
    sys.exit(main())

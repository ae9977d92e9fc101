"""`hub.demo.sandboxes` without its rate limits: for tests that sync more often in a minute than a vendor allows in an hour."""

import sys

from connectors.kit.sandbox import Limiter
from hub.demo.sandboxes import main


def hit(limiter: Limiter) -> tuple[bool, int, float]:
    return True, limiter.requests, 0.0


if __name__ == "__main__":
    Limiter.hit = hit  # type: ignore[method-assign]  # the point of this program
    sys.exit(main())

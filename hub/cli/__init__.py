"""The `cshub` command. Each module here is a few commands of the group in `app`, which imports them when they are asked for.

Exit codes: 0 done, 1 something failed and was said, 2 a wrong configuration or usage, 130 interrupted.
"""

from hub.cli.app import main

__all__ = ["main"]

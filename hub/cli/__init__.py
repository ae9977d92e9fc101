"""The `cshub` command. Each module here is a few commands of the group in `app`.

Exit codes: 0 done, 1 something failed and was said, 2 a wrong configuration or usage, 130 interrupted.
"""

from hub.cli import configuration, demo, evaluate, explain, identity, metrics, playbook, score, serve, sync, token
from hub.cli.app import main

__all__ = [
    "configuration",
    "demo",
    "evaluate",
    "explain",
    "identity",
    "main",
    "metrics",
    "playbook",
    "score",
    "serve",
    "sync",
    "token",
]

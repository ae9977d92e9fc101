"""The command line of tests/cli, for documents."""

from tests.cli.conftest import empty

__all__ = ["empty"]

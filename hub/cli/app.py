"""The command group: options every command has, and errors said as lines instead of tracebacks."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import click

from hub.cli import show
from hub.errors import ConfigError, CshubError

P = ParamSpec("P")
T = TypeVar("T")


class Cshub(click.Group):
    """A group whose anticipated errors are lines on the screen, not tracebacks."""

    def invoke(self, context: click.Context) -> Any:
        try:
            return super().invoke(context)
        except ConfigError as error:
            show.faults(error)
            context.exit(2)
        except CshubError as error:
            show.err.print(str(error), markup=False)
            context.exit(1)


def asynchronous(command: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, T]:
    """A click command whose body is a coroutine."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        return asyncio.run(command(*args, **kwargs))

    return run


@click.group(cls=Cshub, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option(
    "--config",
    type=click.Path(path_type=Path, file_okay=False),
    help="Configuration folder. Default: $CSHUB_CONFIG, else ./config, else what ships with cshub.",
)
@click.option("-v", "--verbose", is_flag=True, help="Say more: log every step to standard error.")
@click.version_option(package_name="cshub", prog_name="cshub")
@click.pass_context
def main(context: click.Context, config: Path | None, verbose: bool) -> None:
    """cshub, a self-hosted customer-success hub.

    It pulls usage, tickets, surveys, CRM and billing records into one store, computes a health that explains itself and
    a calibrated churn risk, and acts through playbooks in Slack and e-mail.

    \b
    New here?           cshub demo            a whole hub on a simulated company, no account needed
    Your own systems?   edit config/sources.yaml, then
                        cshub check           every fault of the configuration, with file and line
                        cshub try NAME        read a few rows of a source, write nothing
                        cshub db upgrade      make the store
                        cshub sync            pull everything once
                        cshub score           health and churn risk of every customer
                        cshub serve           GraphQL, schedules and playbooks, in one process
    """
    logging.basicConfig(
        level=logging.INFO if verbose else logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    context.obj = config

"""The command group: options every command has, and errors said as lines instead of tracebacks."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import click

from hub.cli import show
from hub.errors import ConfigError, CshubError
from hub.settings import load
from hub.store import Store
from hub.store.migrate import require_newest

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
            show.complain(str(error))
            context.exit(1)
        except ExceptionGroup as group:  # of things done side by side
            anticipated, bugs = group.split(CshubError)
            if bugs is not None:
                raise
            for each in _leaves(anticipated):
                show.complain(str(each))
            context.exit(1)
        except KeyboardInterrupt:
            show.complain("interrupted; what was done stays, the same command goes on from there")
            context.exit(130)


def _leaves(group: BaseException | None) -> Iterator[BaseException]:
    if isinstance(group, BaseExceptionGroup):
        for each in group.exceptions:
            yield from _leaves(each)
    elif group is not None:
        yield group


def asynchronous(command: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, T]:
    """A click command whose body is a coroutine."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        return asyncio.run(command(*args, **kwargs))

    return run


@asynccontextmanager
async def opened(config: Path | None) -> AsyncIterator[Store]:
    """The store of a configuration, for commands that need nothing else; ConfigError where it is of another version."""
    async with Store.open(load(config).hub.store) as store:
        await require_newest(store)
        yield store


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

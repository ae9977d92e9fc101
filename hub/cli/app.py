"""The command group: which commands there are, options all of them have, errors said as lines instead of tracebacks.

A command's module is imported when the command is asked for, not before: together they import a learner, a web framework
and a durable engine, seconds of work that `cshub check` has no use for. To add a command, write it with `@main.command()`
in a module of this folder and give it a line in `COMMANDS`.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from functools import wraps
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import click

from hub.errors import ConfigError, CshubError

if TYPE_CHECKING:
    from hub.store import Store

P = ParamSpec("P")
T = TypeVar("T")

COMMANDS = {
    "assign": ("people", "Give customers (ids, domains or whole names) to a CSM."),
    "attention": (
        "attention", "See what is before people and what was kept from them; snooze, rate, and see how precise playbooks are.",
    ),
    "audit": ("audit", "See who asked for what, and verify that the log of it is whole."),
    "backtest": ("backtest", "Try a definition of health, or a playbook, on the stored past, beside the live definition."),
    "check": ("configuration", "Read the whole configuration and list every fault, with file, line and the valid choices."),
    "db": ("configuration", "Make the store, and bring it up to this version."),
    "delivery": ("delivery", "See the delivery ledger, send messages once more, and enable endpoints that were disabled."),
    "demo": ("demo", "Show a whole hub at work, without an account anywhere."),
    "erase": ("privacy", "Erase WHO from every table, for good, and keep syncs from bringing them back."),
    "documents": ("documents", "Trusted documents: operations of frontends, known beforehand and sent by their SHA-256."),
    "evaluate": ("evaluate", "Try the churn pipeline on a data set: its defaults, its calibration, its gate."),
    "expansion": ("expansion", "See which customers have outgrown what they pay for, and say what became of it."),
    "explain": ("explain", "Explain the score of CUSTOMER: an id, a domain or a whole name."),
    "export": ("export", "Write the rows of VIEW to a file; without VIEW, list what there is."),
    "export-person": ("privacy", "Write everything about WHO, from every table, as one JSON document."),
    "identity": ("identity", "See which companies of the sources are nobody's yet, and decide whose they are."),
    "judgement": ("judgement", "Show what overrides and sentiment were worth, by who left and beside the computed scores."),
    "mail": ("mail", "Look at mail before it is sent, say who gets none, and see what came back."),
    "metrics": ("metrics", "Show the figures of customer success, with the definition each was computed by."),
    "model": ("model", "See the churn models, compare challengers with champions, promote one, take it back, look for drift."),
    "new": ("new", "Write the beginning of something new: of a connector."),
    "note": ("people", "Write, list, edit and delete notes on customers."),
    "onboard": ("onboard", "Begin onboardings, say which steps are done, and see who stands where."),
    "override": ("judgement", "Put your own score in the place of CUSTOMER's computed health, for a while and with a reason."),
    "playbook": ("playbook", "Playbooks: list, plan before they act, fire by hand, approve, stop, and what they were worth."),
    "postmortem": (
        "postmortem", "Look back at customers who left: CUSTOMER (an id, a domain or a whole name), or all of them.",
    ),
    "renewals": ("renewals", "See what falls due, what it is expected to bring, and say what became of it."),
    "report": ("report", "See how targets stand, and look at digests or send them."),
    "retention": ("retention", "See for how long each kind of record is kept, and let go of what ran out of its time."),
    "sandboxes": ("demo", None),
    "score": ("score", "Compute today's scorecards."),
    "secret": ("secret", "Keep secrets encrypted in the store, for ${secret:NAME} in any file of the configuration."),
    "segment": ("segment", "Save conditions on customers under a name, and see whom they choose."),
    "sentiment": ("judgement", "State how CUSTOMER feels to you: red, yellow, green, or 1 (worst) to 5 (best)."),
    "serve": ("serve", "Serve GraphQL at /graphql and do the work: one process is a whole hub."),
    "survey": ("survey", "Ask contacts how likely they would recommend us, see who is due, and what they answered."),
    "sync": ("sync", "Pull SOURCEs (default: all) into the store, each as far as it has new rows."),
    "token": ("token", "Make, list, rotate and revoke the tokens of the API."),
    "train": (
        "score", "Train a churn model on the stored history, judge it on later months, and keep it where it is good enough.",
    ),
    "try": ("trying", "Read a few rows of SOURCE and show the records they become."),
    "writeback": ("writeback", "Show what SOURCE would be given of scores and risks, and with --send write it."),
    "worker": ("serve", "Do jobs without serving: scheduled syncs, scoring, playbooks and deliveries."),
}  # fmt: skip
"""{command: (its module in this folder, the first sentence of its help; None where it is hidden)}"""


class Cshub(click.Group):
    """A group that imports a command when it is asked for, and whose anticipated errors are lines, not tracebacks."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*COMMANDS, *self.commands})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in COMMANDS and cmd_name not in self.commands:
            module, _ = COMMANDS[cmd_name]
            import_module(f"hub.cli.{module}")  # which puts its commands into this group
        return super().get_command(ctx, cmd_name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.exceptions.NoSuchCommand as error:  # which knows only what has been imported
            shown = [name for name, (_, sentence) in COMMANDS.items() if sentence]
            raise click.exceptions.NoSuchCommand(error.command_name, possibilities=shown, ctx=ctx) from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """As click does it, from the sentences in `COMMANDS`."""
        said = {name: sentence for name, (_, sentence) in sorted(COMMANDS.items()) if sentence}
        limit = formatter.width - 6 - max(map(len, said))
        with formatter.section("Commands"):
            formatter.write_dl([(name, _shortened(sentence, limit)) for name, sentence in said.items()])

    def invoke(self, context: click.Context) -> Any:
        from hub.cli import show  # not needed for help, which should come at once

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


def _shortened(sentence: str, limit: int) -> str:
    return click.Command(None, help=sentence).get_short_help_str(limit)


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
        with asyncio.Runner(loop_factory=_loop) as runner:  # uvicorn's own choice comes too late: a loop is running
            return runner.run(command(*args, **kwargs))

    return run


def _loop() -> asyncio.AbstractEventLoop:
    """uvloop's, where it is installed: it is not made for every platform."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
    return loop


@asynccontextmanager
async def opened(config: Path | None) -> AsyncIterator["Store"]:
    """The store of a configuration, for commands that need nothing else; ConfigError where it is of another version."""
    from hub.settings import load  # these three would slow down the help of every command
    from hub.store import Store
    from hub.store.migrate import require_newest

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

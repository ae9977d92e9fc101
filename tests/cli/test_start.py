"""A command imports what it needs and no more: `cshub check` is done before a learner would have been read from disk."""

import os
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from hub.cli import main
from hub.cli.app import COMMANDS
from tests.cli.conftest import Cli

HEAVY = ["dbos", "graphql", "scipy", "sklearn", "starlette", "strawberry", "uvicorn", "xgboost"]
LIGHT = [*HEAVY, "numpy", "pydantic", "rich", "sqlalchemy"]

RUN = """
import sys
from hub.cli import main
try:
    main(sys.argv[2:])
except SystemExit as end:
    assert end.code == 0, end.code
print("imported:", *sorted(set(sys.argv[1].split(",")) & set(sys.modules)))
"""


def imported(watched: list[str], *arguments: str, store: Path) -> list[str]:
    """Which of the watched modules a process has imported when its command is done."""
    ran = subprocess.run(
        [sys.executable, "-c", RUN, ",".join(watched), *arguments],
        capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2],
        env={**os.environ, "CSHUB_STORE": f"sqlite:///{store}"},
    )  # fmt: skip
    return ran.stdout.splitlines()[-1].split()[1:]


def test_help_imports_nothing_heavy(cli: Cli) -> None:
    assert imported(LIGHT, "--help", store=cli.store) == []


@pytest.mark.long
@pytest.mark.parametrize(
    "command", [("check",), ("db", "status"), ("token", "list"), ("identity", "list")], ids=" ".join
)
def test_small_commands_import_nothing_heavy(cli: Cli, command: tuple[str, ...]) -> None:
    assert imported(HEAVY, "--config", str(cli.config), *command, store=cli.store) == []


def test_what_the_first_page_says_of_a_command_is_what_it_says_of_itself() -> None:
    context = click.Context(main)
    found = {name: main.get_command(context, name) for name in COMMANDS}
    said = {name: None if c is None or c.hidden else c.get_short_help_str(1000) for name, c in found.items()}
    assert {name: sentence for name, (_, sentence) in COMMANDS.items()} == said
    assert set(main.commands) == set(COMMANDS), "a command without its line in COMMANDS would not be found"


def test_the_first_page_names_every_command_with_its_sentence() -> None:
    output = (
        CliRunner(env={"COLUMNS": "300"}).invoke(main, ["--help"], terminal_width=300, max_content_width=300).output
    )
    for name, (_, sentence) in COMMANDS.items():
        if sentence:
            assert f"  {name} " in output
            assert sentence.removesuffix(".") in output
    assert "sandboxes" not in output


def test_a_slip_is_told_with_what_it_may_have_meant() -> None:
    assert "score" in CliRunner().invoke(main, ["scor"]).output

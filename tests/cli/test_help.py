"""Every command says what it does, and every option of it that is not plain from its name."""

from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner

from hub.cli import main


def commands(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        for name, child in children(command):
            yield from commands(child, (*path, name))


def children(group: click.Group) -> list[tuple[str, click.Command]]:
    context = click.Context(group)
    found = [(name, group.get_command(context, name)) for name in group.list_commands(context)]
    assert all(child is not None for _, child in found)
    return [(name, child) for name, child in found if child is not None]


ALL = [(path, command) for path, command in commands(main) if not command.hidden]


@pytest.mark.parametrize(
    ("path", "command"), ALL, ids=lambda value: " ".join(value) if isinstance(value, tuple) else ""
)
def test_help_says_what_a_command_does(path: tuple[str, ...], command: click.Command) -> None:
    for flag in ("--help", "-h"):
        result = CliRunner().invoke(main, [*path, flag])
        assert result.exit_code == 0
        assert f"Usage: main {' '.join(path)}".rstrip() in result.output
    assert len((command.help or "").split()) >= 5
    assert "".join((command.help or "").splitlines()[0].split()) in "".join(result.output.split())
    if isinstance(command, click.Group):
        assert all(name in result.output for name, child in children(command) if not child.hidden)


def test_the_first_page_leads_a_newcomer() -> None:
    output = CliRunner().invoke(main, ["--help"]).output
    order = ["cshub demo", "cshub check", "cshub try", "cshub db upgrade", "cshub sync", "cshub score", "cshub serve"]
    places = [output.index(each) for each in order]
    assert places == sorted(places)


def test_a_command_there_is_none_of_is_usage_and_names_what_there_is() -> None:
    result = CliRunner().invoke(main, ["scor"])
    assert result.exit_code == 2
    assert "No such command 'scor'" in result.output
    assert CliRunner().invoke(main, ["token", "create", "x", "--role", "boss"]).exit_code == 2
    assert (
        "'viewer', 'csm', 'manager', 'admin'"
        in CliRunner().invoke(main, ["token", "create", "x", "--role", "boss"]).output
    )


def test_version() -> None:
    assert CliRunner().invoke(main, ["--version"]).output.startswith("cshub, version ")

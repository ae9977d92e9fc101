"""What the READMEs and docs/ say is so: commands, options, paths, links, queries, examples, settings, and what
config/hub.yaml leaves unsaid."""

import re
import shlex
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from types import UnionType
from typing import Any, get_args

import click
import pytest
import yaml
from graphql import build_schema, parse, validate
from pydantic import BaseModel

from connectors.kit import formats, registry
from hub.cli import main
from hub.delivery.webhook import new_secret
from hub.documents import Document
from hub.playbooks import load_all
from hub.settings import Settings, load
from hub.settings.files import HubFile
from scoring import churn_definition, definition

ROOT = Path(__file__).parent.parent
READMES = [
    ROOT / "README.md",
    *sorted((ROOT / "connectors").rglob("README.md")),
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "examples").glob("*/README.md")),
]
QUERIES = sorted((ROOT / "templates/web/queries").glob("*.graphql"))
ENDINGS = (".py", ".md", ".yaml", ".yml", ".toml", ".txt", ".graphql", ".json", ".html")
NOT_OURS = {"acme/", "my-health.yaml", ".venv", ".venv/bin", ".data/", "src/gql/", "dist/documents.json"}
"""Folders of an example, and those that commands make."""


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def blocks(text: str) -> Iterator[tuple[str, str]]:
    """(language, content) of every code block, indented ones too."""
    for match in re.finditer(r"^( *)```(\w*)\n(.*?)^\1```$", text, re.DOTALL | re.MULTILINE):
        yield match[2], "\n".join(line.removeprefix(match[1]) for line in match[3].splitlines())


def spans(text: str) -> list[str]:
    """Everything between backticks outside code blocks."""
    return re.findall(r"`([^`\n]+)`", re.sub(r"^ *```.*?^ *```$", "", text, flags=re.DOTALL | re.MULTILINE))


def words_of(command: str) -> list[str]:
    """Up to where the shell sends its output, or takes its input from."""
    words = shlex.split(command, comments=True)
    return words[: min((words.index(sign) for sign in ("<", ">", "|") if sign in words), default=len(words))]


def commands(text: str) -> list[list[str]]:
    """Every `cshub …` and `make …`, in words, from spans and from shell blocks."""
    lines = [line for language, block in blocks(text) if language == "sh" for line in block.splitlines()]
    found = [words_of(line) for line in lines if line.startswith(("cshub ", "make "))]
    return found + [shlex.split(span) for span in spans(text) if span.startswith(("cshub ", "make "))]


COMMANDS = [(name_of(path), words) for path in READMES for words in commands(path.read_text(encoding="utf-8"))]


def test_commands_are_found() -> None:
    assert len([words for name, words in COMMANDS if name == "README.md" and words[0] == "cshub"]) > 15
    assert ["cshub", "try", "SOURCE", "--limit", "5"] in [words for _, words in COMMANDS]


@pytest.mark.parametrize(
    ("readme", "words"), COMMANDS, ids=lambda value: " ".join(value) if isinstance(value, list) else ""
)
def test_a_command_exists_with_its_options(readme: str, words: list[str]) -> None:
    if words[0] == "make":
        check_make(words[1:])
    else:
        check_cshub(words[1:])


def check_make(words: list[str]) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    variables = set(re.findall(r"\$\(([A-Z]+)\)|\$\(if \$\(([A-Z]+)\)", makefile))
    known = {name for pair in variables for name in pair if name}
    for word in words:
        name, equals, _ = word.partition("=")
        assert name in (known if equals else targets), f"make has no {name}"


def check_cshub(words: list[str]) -> None:
    """Walk the command tree as click would, with every option and argument that stands there."""
    command: click.Command = main
    context = click.Context(
        main, **main.context_settings
    )  # click remembers a command's --help as the first asker has it
    left = list(words)
    while left and isinstance(command, click.Group):
        if left[0].startswith("-"):
            left = options(command, left, context)
            continue
        child = command.get_command(context, left[0])
        assert child is not None, f"{command.name} has no command {left[0]}"
        command, left = child, left[1:]
    arguments = [parameter for parameter in command.params if isinstance(parameter, click.Argument)]
    positional = 0
    while left:
        if left[0].startswith("-"):
            left = options(command, left, context)
        else:
            positional, left = positional + 1, left[1:]
    if positional:
        assert arguments, f"{command.name} takes no argument"
        assert positional <= len(arguments) or any(argument.nargs == -1 for argument in arguments)


def options(command: click.Command, left: list[str], context: click.Context) -> list[str]:
    """What is left after the option that stands first."""
    for parameter in command.get_params(context):
        if isinstance(parameter, click.Option) and left[0] in (*parameter.opts, *parameter.secondary_opts):
            takes_value = not (parameter.is_flag or parameter.count)
            if takes_value and len(left) > 1:
                check_value(parameter.type, left[1])
            return left[2:] if takes_value else left[1:]
    raise AssertionError(f"{command.name} has no option {left[0]}")


def check_value(type_: click.ParamType, value: str) -> None:
    if isinstance(type_, click.Choice):
        assert value in type_.choices
    elif isinstance(type_, click.IntRange):
        assert type_.convert(value, None, None) is not None


@pytest.mark.parametrize("readme", READMES, ids=name_of)
def test_relative_links_lead_somewhere(readme: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)", readme.read_text(encoding="utf-8")):
        if not target.startswith(("http://", "https://", "mailto:")):
            assert (readme.parent / target).exists(), target


@pytest.mark.parametrize("readme", READMES, ids=name_of)
def test_links_to_headings_lead_to_one(readme: Path) -> None:
    for name, anchor in re.findall(r"\]\(([^)#\s:]*)#([^)\s]+)\)", readme.read_text(encoding="utf-8")):
        assert anchor in anchors(readme.parent / name if name else readme), f"{name}#{anchor}"


def anchors(page: Path) -> set[str]:
    """What links may name, as GitHub makes it of headings."""
    text = re.sub(r"^ *```.*?^ *```$", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    headings = re.findall(r"^#+ +(.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def paths(text: str) -> Iterator[str]:
    """What looks like a path of ours: words with a slash or a known ending.

    No vendor's `/path`, no address, no placeholder, no module that is run.
    """
    for span in spans(text):
        for word in re.sub(r"(?<= -m )[\w.]+", "", span).split():
            path = word.rstrip(".,:;")
            plain = re.fullmatch(r"\.?[A-Za-z0-9_][A-Za-z0-9_./-]*", path) is not None
            if plain and path not in NOT_OURS and (path.endswith((*ENDINGS, "/")) or path.split("/")[0] in TOPS):
                yield path


TOPS = {path.name for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith(".")}


@pytest.mark.parametrize("readme", READMES, ids=name_of)
def test_paths_exist(readme: Path) -> None:
    text = readme.read_text(encoding="utf-8")
    bases = (
        ROOT,
        ROOT / "config",
        readme.parent,
        ROOT / "connectors" / "kit",
        ROOT / "tests" / "connectors",
        ROOT / "connectors" / "csvfile",
    )
    missing = [path for path in paths(text) if not any((base / path).exists() for base in bases)]
    assert missing == []


def tree() -> list[str]:
    """The paths of the map, put together from its indentation."""
    [block] = [content for _, content in blocks((ROOT / "README.md").read_text()) if content.startswith("config/ ")]
    found: list[str] = []
    above: list[str] = []
    for line in block.splitlines():
        depth = (len(line) - len(line.lstrip())) // 2
        above = [*above[:depth], line.split()[0].rstrip("/")]
        found.append("/".join(above))
    return found


def test_the_map_shows_what_there_is() -> None:
    shown = tree()
    assert [path for path in shown if not (ROOT / path).exists()] == []
    assert {path for path in TOPS if (ROOT / path / "__init__.py").exists() or path in ("config", "templates")} <= set(
        shown
    )
    packages = {name_of(path.parent) for path in (ROOT / "hub").glob("*/__init__.py")}
    assert packages <= set(shown)
    assert {"docs", "examples", "tests", "bench", "Makefile", "pyproject.toml", "constraints.txt"} <= set(shown)


def test_every_connector_is_linked() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [name for name in registry.names() if f"(connectors/{name}/README.md)" not in text] == []


def test_every_part_of_the_kit_is_named() -> None:
    kit = {path.stem for path in (ROOT / "connectors/kit").glob("*.py")} - {"__init__"}
    text = (ROOT / "connectors/README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`.+?`) \|", text, re.MULTILINE)
    assert sorted(name for row in rows for name in re.findall(r"`(\w+)`", row)) == sorted(kit)


@pytest.mark.parametrize("query", QUERIES, ids=lambda path: path.stem)
def test_the_ready_made_queries_are_valid(query: Path) -> None:
    assert errors(query.read_text(encoding="utf-8")) == []


def test_there_are_three_of_them() -> None:
    assert len(QUERIES) == 3


def test_graphql_of_the_readme_is_valid() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    documents = [content for language, content in blocks(text) if language == "graphql"]
    documents += re.findall(r"'\{\"query\": \"(.+?)\"\}'", text)
    assert len(documents) == 2
    for document in documents:
        assert errors(document) == []


def errors(document: str) -> list[str]:
    schema = build_schema((ROOT / "schema/schema.graphql").read_text(encoding="utf-8"))
    return [error.message for error in validate(schema, parse(document))]


def environment(text: str) -> dict[str, str]:
    """A value of the right kind for each variable that sources take."""
    kinds = {
        "SERVICE_ACCOUNT": '{"client_email": "hub@example.com", "private_key": "-----BEGIN PRIVATE KEY-----"}',
        "URL": "postgresql://reader:secret@warehouse.example/analytics",
    }
    names = re.findall(r"\$\{(\w+)\}", text)
    given = {name: value for name in names for ending, value in kinds.items() if name.endswith(ending)}
    return dict.fromkeys(names, "a secret of thirty-two letters or more") | given


@pytest.fixture
def filesystems(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if those of object stores were installed."""
    monkeypatch.setattr(formats.fsspec, "get_filesystem_class", lambda scheme: scheme in formats.EXTRAS)


@pytest.mark.parametrize("name", registry.names())
def test_the_example_of_a_connector_is_a_source(name: str, tmp_path: Path, filesystems: None) -> None:
    text = (ROOT / "connectors" / name / "README.md").read_text(encoding="utf-8")
    examples = [content for language, content in blocks(text) if language == "yaml" and "connector:" in content]
    assert examples
    for example in examples:
        entries = yaml.safe_load(example)
        named = {rules[key] for entry in entries.values() for rules in [entry.get("identity", {})] for key in rules}
        others = {source: {"connector": "hubspot", "settings": {"token": "secret"}} for source in named}
        (tmp_path / "sources.yaml").write_text(yaml.safe_dump({"sources": others | entries}), encoding="utf-8")
        settings = load(tmp_path, environment=environment(example))
        assert {settings.sources[source].source.connector_name for source in entries} == {name}


def test_every_configuration_that_ships_is_valid() -> None:
    settings = load(ROOT / "config", environment={})
    assert settings.sources == {}
    assert sorted(settings.playbooks.playbooks) == sorted(
        path.stem for path in (ROOT / "config/playbooks").glob("*.yaml")
    )
    definition.load(Document.read(ROOT / "config/health.yaml"))
    churn_definition.load(Document.read(ROOT / "config/churn.yaml"))
    load_all(ROOT / "config/playbooks", templates=ROOT / "templates")


def test_the_sources_that_ship_are_valid_once_switched_on(tmp_path: Path, filesystems: None) -> None:
    text = (ROOT / "config/sources.yaml").read_text(encoding="utf-8")
    (tmp_path / "sources.yaml").write_text(text.replace("enabled: false", "enabled: true"), encoding="utf-8")
    settings = load(tmp_path, environment=environment(text))
    assert sorted({each.source.connector_name for each in settings.sources.values()}) == list(registry.names())


def test_every_setting_of_the_hub_is_told_of() -> None:
    told = (ROOT / "config/hub.yaml").read_text(encoding="utf-8") + (ROOT / "README.md").read_text(encoding="utf-8")
    assert [name for name in fields(HubFile) if not re.search(rf"\b{name}\b", told)] == []


def test_what_hub_yaml_shows_in_comments_is_valid_too(tmp_path: Path) -> None:
    text = (ROOT / "config/hub.yaml").read_text(encoding="utf-8")
    shown = re.sub(r"^# (?=[a-z_]+:|  )", "", text, flags=re.MULTILINE)
    assert list(yaml.safe_load(shown)) == re.findall(r"^(?:# )?([a-z_]+):", text, re.MULTILINE)
    assert set(yaml.safe_load(shown)) == set(HubFile.model_fields)
    settings = load_hub(tmp_path, shown)
    assert {name for name in HubFile.model_fields if getattr(settings.hub, name) is None} == set()
    assert settings.hub.access.csm == "book"
    assert settings.hub.retention.keep["message_bodies"] == timedelta(days=180)


def load_hub(folder: Path, text: str) -> Settings:
    """hub.yaml, read, where all it takes from the environment is given."""
    given = {
        name: new_secret() if name.endswith("SECRET") else "a password of thirty-two letters or more"
        for name in re.findall(r"\$\{([A-Z_]+)\}", text)
    }
    (folder / "documents").mkdir()
    (folder / "hub.yaml").write_text(text, encoding="utf-8")
    return load(folder, environment=given | {"PAGERDUTY_KEY": "a" * 32})


def yaml_of_hub(text: str) -> Iterator[str]:
    """What a page shows of hub.yaml: blocks that say so, and `section: {…}` among words."""
    yield from (block for language, block in blocks(text) if language == "yaml" and block.startswith("# hub.yaml"))
    for span in spans(text):
        if span.split(":")[0] in HubFile.model_fields and ": {" in span and "…" not in span:
            yield span


HUB_EXAMPLES = [(name_of(path), part) for path in READMES for part in yaml_of_hub(path.read_text(encoding="utf-8"))]


def test_examples_of_hub_yaml_are_found() -> None:
    assert {name for name, _ in HUB_EXAMPLES} >= {"docs/privacy.md"}


@pytest.mark.parametrize(("page", "example"), HUB_EXAMPLES)
def test_an_example_of_hub_yaml_is_valid(page: str, example: str, tmp_path: Path) -> None:
    assert load_hub(tmp_path, f"store: sqlite:///x.db\n{example}\n").hub is not None


@pytest.mark.parametrize("readme", READMES, ids=name_of)
def test_settings_named_with_dots_exist(readme: Path) -> None:
    for span in spans(readme.read_text(encoding="utf-8")):
        first, *rest = span.split(".")
        is_a_file = (readme.parent / span).exists()
        if first in HubFile.model_fields and re.fullmatch(r"[a-z_]+", "".join(rest)) and not is_a_file:
            assert names_a_setting(HubFile, [first, *rest]), span


def names_a_setting(model: type[BaseModel], names: list[str]) -> bool:
    if names[0] not in model.model_fields:
        return False
    inner = models_of(model.model_fields[names[0]].annotation)
    return not names[1:] or any(names_a_setting(part, names[1:]) for part in inner)


def fields(model: type[BaseModel]) -> Iterator[str]:
    """The names of all settings of a model and of the models in it."""
    for name, field in model.model_fields.items():
        yield name
        for inner in models_of(field.annotation):
            yield from fields(inner)


def models_of(annotation: Any) -> list[type[BaseModel]]:
    parts = get_args(annotation) if isinstance(annotation, UnionType) else [annotation]
    return [part for part in parts if isinstance(part, type) and issubclass(part, BaseModel)]

"""What the import contracts of pyproject.toml cannot see: who reads the environment and the clock, and how long a module is."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("hub", "connectors", "schema", "scoring")
MODULES = sorted(
    path
    for package in PACKAGES
    for path in (ROOT / package).rglob("*.py")
    if "versions" not in path.parts and "_launcher" not in path.parts
)


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def nodes(path: Path) -> list[ast.AST]:
    """All of a module, which comes first."""
    return list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))


def attributes(path: Path, *, of: set[str]) -> set[str]:
    """The dotted names that a module uses, such as `os.environ`, whose last part is one `of` these."""
    return {ast.unparse(node) for node in nodes(path) if isinstance(node, ast.Attribute) and node.attr in of}


def users_of(*names: str) -> set[str]:
    ends = {name.rpartition(".")[2] for name in names}
    return {name_of(path) for path in MODULES if attributes(path, of=ends) & set(names)}


def test_the_environment_is_read_in_one_file() -> None:
    assert users_of("os.environ", "os.getenv", "os.environb") == {"hub/settings/loading.py"}


def test_the_clock_is_read_in_one_file() -> None:
    assert users_of("datetime.now", "datetime.utcnow", "date.today", "datetime.today", "time.time") == {"hub/clock.py"}


def test_transactions_are_committed_in_one_file() -> None:
    def commits(path: Path) -> bool:
        used = attributes(path, of={"commit", "begin"})
        return any(name.endswith((".commit", "connection.begin", "engine.begin")) for name in used)

    assert {name_of(path) for path in MODULES if commits(path)} <= {"hub/store/store.py", "hub/demo/outbox.py"}


def test_every_module_says_what_it_is_for() -> None:
    def is_silent(path: Path) -> bool:
        module = nodes(path)[0]
        assert isinstance(module, ast.Module)
        return not ast.get_docstring(module)

    assert [name_of(path) for path in MODULES if is_silent(path)] == []


BARE = re.compile(
    r"#\s*noqa(:[A-Z0-9, ]+)?$"  # a rule put aside, without a word why
    r"|#\s*type:\s*ignore(\[[^\]]*\])?\s*$"
    r"|^\s*except( \(?(Base)?Exception\)?( as \w+)?)?:\s*$"
)


def test_what_is_put_aside_or_caught_whole_has_its_reason_beside_it() -> None:
    bare = [
        f"{name_of(path)}:{number}"
        for path in [*MODULES, *(ROOT / "tests").rglob("*.py"), *(ROOT / "bench").rglob("*.py")]
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if BARE.search(line)
    ]
    assert bare == []


def test_no_module_holds_two_ideas() -> None:
    lengths = {name_of(path): len(path.read_text(encoding="utf-8").splitlines()) for path in MODULES}
    assert {name: length for name, length in lengths.items() if length > 300} == {}
    assert sorted(lengths.values())[len(lengths) // 2] <= 140


@pytest.mark.parametrize("word", ["utils", "helpers", "common", "manager", "misc"])
def test_no_file_is_named_for_nothing(word: str) -> None:
    assert [name_of(path) for path in MODULES if path.stem == word or path.parent.name == word] == []


def test_data_folders_hold_no_python() -> None:
    assert [*(ROOT / "config").rglob("*.py"), *(ROOT / "templates").rglob("*.py")] == []


def test_insert_values_of_a_list_is_never_written() -> None:
    """`insert(...).values([...])` compiles a statement per batch and is a tenth as fast as a list of parameter sets."""

    def is_list_of_values(node: ast.AST) -> bool:
        return (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr == "values"
            and bool(node.args)
            and isinstance(node.args[0], ast.List | ast.ListComp)
        )

    assert [name_of(path) for path in MODULES if any(map(is_list_of_values, nodes(path)))] == []

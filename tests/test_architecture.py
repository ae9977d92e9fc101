"""What the import contracts of pyproject.toml cannot see: who reads the environment and the clock, and how long a module is."""

import ast
from collections.abc import Iterator
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


def attributes(path: Path) -> Iterator[str]:
    """Every dotted name that a module uses, such as `os.environ`."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute):
            yield ast.unparse(node)


def users_of(*names: str) -> set[str]:
    return {name_of(path) for path in MODULES if set(attributes(path)) & set(names)}


def test_the_environment_is_read_in_one_file() -> None:
    assert users_of("os.environ", "os.getenv", "os.environb") == {"hub/settings/loading.py"}


def test_the_clock_is_read_in_one_file() -> None:
    assert users_of("datetime.now", "datetime.utcnow", "date.today", "datetime.today", "time.time") == {"hub/clock.py"}


def test_transactions_are_committed_in_one_file() -> None:
    def commits(path: Path) -> bool:
        return any(name.endswith((".commit", "_writer.begin", "engine.begin")) for name in attributes(path))

    assert {name_of(path) for path in MODULES if commits(path)} <= {"hub/store/store.py", "hub/demo/outbox.py"}


def test_every_module_says_what_it_is_for() -> None:
    silent = [name_of(path) for path in MODULES if not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))]
    assert silent == []


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

    trees = {name_of(path): ast.parse(path.read_text(encoding="utf-8")) for path in MODULES}
    assert [name for name, tree in trees.items() if any(map(is_list_of_values, ast.walk(tree)))] == []

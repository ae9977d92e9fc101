"""The table of connectors that stands in README.md."""

import pytest

from connectors.kit import registry
from connectors.kit.table import BEGIN, END, table, written
from hub.resources import ROOT


def test_the_table_in_the_readme_is_current() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert written(text) == text, "python -m connectors.kit.table"


def test_every_connector_has_a_row_with_all_of_its_streams() -> None:
    _, _, *rows = table().splitlines()
    assert len(rows) == len(registry.names())
    for name in registry.names():
        [row] = [row for row in rows if f"(connectors/{name}/README.md)" in row]
        assert ", ".join(registry.manifest(name).streams) in row
        assert row.replace("\\|", "").count("|") == 8


def test_what_stands_around_it_stays() -> None:
    assert written(f"above\n{BEGIN}\nold\n{END}\nbelow\n").startswith(f"above\n{BEGIN}\n\n| connector |")
    assert written(f"above\n{BEGIN}\nold\n{END}\nbelow\n").endswith(f" |\n\n{END}\nbelow\n")
    with pytest.raises(ValueError, match="to write between"):
        written("no markers")

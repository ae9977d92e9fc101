"""The table of connectors for people: what each brings and how, written from the manifests.

python -m connectors.kit.table            writes it anew between the markers of README.md
python -m connectors.kit.table --check    exits with 1 where what stands there is not that, and writes nothing
"""

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path

from connectors.kit import registry
from connectors.kit.manifest import Manifest
from hub.resources import ROOT

BEGIN, END = "<!-- connectors: written by `python -m connectors.kit.table` -->", "<!-- connectors end -->"
HEADER = ("connector", "streams", "bookmark", "deletions", "webhooks", "writes back", "limits")


def table() -> str:
    """Markdown, a row a connector, in order of titles."""
    manifests = sorted((registry.manifest(name) for name in registry.names()), key=lambda each: each.title.lower())
    lines = [HEADER, ("---",) * len(HEADER), *(_row(each) for each in manifests)]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def written(text: str) -> str:
    """`text` with the table between its markers; ValueError where it has none."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"there are no lines {BEGIN} and {END} to write between")
    return f"{before}{BEGIN}\n\n{table()}\n\n{END}{after}"


def _row(told: Manifest) -> tuple[str, ...]:
    streams = told.streams
    return (
        f"[{told.title}](connectors/{told.name}/README.md)",
        ", ".join(streams),
        _told(streams, {name: note.bookmark for name, note in streams.items()}),
        _told(streams, {name: note.deletions for name, note in streams.items()}),
        "yes" if told.webhooks else "no",
        ", ".join(told.writes) or "no",
        _told(streams, {name: note.limits or "none known" for name, note in streams.items()}),
    )


def _told(streams: Iterable[str], said: dict[str, str]) -> str:
    """What is said of all streams once, what is said of some with their names."""
    by_word: dict[str, list[str]] = {}
    for name in streams:
        by_word.setdefault(said[name].replace("|", "\\|"), []).append(name)
    if len(by_word) == 1:
        return next(iter(by_word))
    return "; ".join(f"{', '.join(names)}: {word}" for word, names in by_word.items())


def main(readme: Path = ROOT / "README.md") -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument(
        "--check", action="store_true", help="exit with 1 where the table is not current; write nothing"
    )
    given = parser.parse_args()
    text = readme.read_text(encoding="utf-8")
    if (new := written(text)) == text:
        return 0
    if given.check:
        sys.stderr.write("the table of connectors in README.md is not current: python -m connectors.kit.table\n")
        return 1
    readme.write_text(new, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""The SDL: written to be committed, and held against the one that was released.

    python -m schema.sdl                    write schema/schema.graphql; a test fails while it is not what this writes
    python -m schema.sdl --against FILE     every change since FILE; exit code 1 where one breaks what worked with it
    python -m schema.sdl --release          what a release does: schema/released.graphql becomes today's, if nothing breaks

Something is taken away in two steps: it is @deprecated with a reason that names what takes its place, in one release; then it
may go in a later one. So the removal of what FILE already calls deprecated breaks nothing, and all other removals do.
"""

import argparse
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from graphql import GraphQLSchema, build_schema, find_breaking_changes, find_dangerous_changes
from graphql.utilities import BreakingChangeType

from schema.api import SCHEMA

PATH = Path(__file__).with_name("schema.graphql")
RELEASED = Path(__file__).with_name("released.graphql")
_REMOVED = frozenset(
    {
        BreakingChangeType.FIELD_REMOVED,
        BreakingChangeType.ARG_REMOVED,
        BreakingChangeType.VALUE_REMOVED_FROM_ENUM,
    }
)
_PLACE = re.compile(r"(\w+)\.(\w+)(?:\((\w+):?\))?")


@dataclass(frozen=True, slots=True)
class Changes:
    """Since a release, in words. `removed`: what had been deprecated there; `careful`: what a client may stumble over."""

    breaking: tuple[str, ...]
    removed: tuple[str, ...]
    careful: tuple[str, ...]


def sdl() -> str:
    """The schema as text."""
    return SCHEMA.as_str().strip() + "\n"


def changes(before: str, after: str) -> Changes:
    """What changed between two SDLs."""
    old, new = build_schema(before), build_schema(after)
    breaking: list[str] = []
    removed: list[str] = []
    for each in find_breaking_changes(old, new):
        announced = each.type in _REMOVED and _deprecated(old, each.description)
        (removed if announced else breaking).append(each.description)
    careful = [each.description for each in find_dangerous_changes(old, new)]
    return Changes(tuple(breaking), tuple(removed), tuple(careful))


def _deprecated(schema: GraphQLSchema, description: str) -> bool:
    """Whether the field, value or argument that a change names was deprecated."""
    match = _PLACE.search(description)
    type_ = schema.get_type(match[1]) if match else None
    if match is None or type_ is None:
        return False
    places = getattr(type_, "fields", None) or getattr(type_, "values", None) or {}
    place = places.get(match[2])
    if place is not None and match[3] is not None:
        place = place.args.get(match[3])
    return place is not None and place.deprecation_reason is not None


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m schema.sdl", description=__doc__.splitlines()[0])
    parser.add_argument("--against", type=Path, metavar="FILE", help="tell every change since FILE; write nothing")
    parser.add_argument(
        "--release", action="store_true", help="make schema/released.graphql today's, if nothing breaks"
    )
    given = parser.parse_args(arguments)
    if given.against is None and not given.release:
        PATH.write_text(sdl(), encoding="utf-8")
        return 0
    against = given.against or RELEASED
    found = changes(against.read_text(encoding="utf-8"), sdl()) if against.exists() else Changes((), (), ())
    lines = [f"breaks: {each}" for each in found.breaking]
    lines += [f"removed, was deprecated: {each}" for each in found.removed]
    lines += [f"careful: {each}" for each in found.careful]
    sys.stdout.write("".join(f"{line}\n" for line in lines) or "nothing that anybody could stumble over\n")
    if found.breaking:
        sys.stdout.write(
            "deprecate first, with a reason that names what takes its place; remove it in a later release\n"
        )
        return 1
    if given.release:
        RELEASED.write_text(sdl(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

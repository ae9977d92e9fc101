"""Writes the committed SDL: `python -m schema.sdl`. A test fails while `schema.graphql` is not what this writes."""

from pathlib import Path

from schema.api import SCHEMA

PATH = Path(__file__).with_name("schema.graphql")


def sdl() -> str:
    """The schema as text."""
    return SCHEMA.as_str().strip() + "\n"


def main() -> None:
    PATH.write_text(sdl(), encoding="utf-8")


if __name__ == "__main__":
    main()

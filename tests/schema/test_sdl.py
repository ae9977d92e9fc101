"""The committed SDL is what the types say, and breaks nothing that was released."""

from pathlib import Path

import pytest
from graphql import GraphQLInputObjectType, build_schema

from schema.sdl import PATH, RELEASED, changes, main, sdl
from scoring.facts import CATALOGUE

BEFORE = """
directive @personal on FIELD_DEFINITION
type Query { old: Int @deprecated(reason: "Use new.") new(by: Int @deprecated(reason: "Use per."), per: Int): Int }
enum Kind { GONE @deprecated(reason: "Use KEPT.") KEPT }
input Narrowed { old: Int @deprecated(reason: "Use new.") new: Int }
"""


def test_the_committed_sdl_is_fresh() -> None:
    assert PATH.read_text(encoding="utf-8") == sdl(), "run: python -m schema.sdl"


def test_nothing_released_is_broken() -> None:
    found = changes(RELEASED.read_text(encoding="utf-8"), sdl())
    assert found.breaking == (), "deprecate first; remove in a later release (python -m schema.sdl --against …)"


def test_what_was_deprecated_may_go() -> None:
    after = """
    directive @personal on FIELD_DEFINITION
    type Query { new(per: Int): Int }
    enum Kind { KEPT }
    input Narrowed { new: Int }
    """
    found = changes(BEFORE, after)
    assert found.breaking == ()
    assert len(found.removed) == 4


@pytest.mark.parametrize(
    ("kept", "changed", "said"),
    [
        ("per: Int)", ")", "Argument Query.new(per:) was removed."),
        (": Int }\nenum", ": String }\nenum", "Field Query.new changed type from Int to String."),
        (" KEPT", " OTHER", "Enum value Kind.KEPT was removed."),
        (" new: Int }", " new: Int! }", "Field Narrowed.new changed type from Int to Int!."),
        ("per: Int)", "per: Int, must: Int!)", "A required argument Query.new(must:) was added."),
        ("directive @personal on FIELD_DEFINITION", "", "Directive @personal was removed."),
        ("input Narrowed { old: Int", "input Narrow { old: Int", "Narrowed was removed."),
    ],
)
def test_what_breaks_is_told(
    kept: str, changed: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    after = BEFORE.replace(kept, changed)
    assert after != BEFORE
    assert changes(BEFORE, after).breaking == (said,)


def test_what_is_new_breaks_nothing() -> None:
    after = BEFORE.replace("type Query {", "type Query { more: String").replace(" KEPT", " KEPT MORE")
    found = changes(BEFORE, after)
    assert (found.breaking, found.careful) == ((), ("Enum value Kind.MORE was added.",))


def test_against_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    same, other = tmp_path / "same.graphql", tmp_path / "other.graphql"
    same.write_text(sdl(), encoding="utf-8")
    other.write_text(sdl().replace("type Query {", "type Query {\n  gone: Int\n"), encoding="utf-8")
    assert main(["--against", str(same)]) == 0
    assert capsys.readouterr().out == "nothing that anybody could stumble over\n"
    assert main(["--against", str(other)]) == 1
    assert "breaks: Field Query.gone was removed." in capsys.readouterr().out


def test_what_is_deprecated_says_what_takes_its_place() -> None:
    schema = build_schema(sdl())
    for type_ in schema.type_map.values():
        if type_.name.startswith("__"):
            continue
        for name, field in (getattr(type_, "fields", None) or getattr(type_, "values", None) or {}).items():
            arguments = {} if isinstance(type_, GraphQLInputObjectType) else getattr(field, "args", {})
            for place, each in ((name, field), *arguments.items()):
                reason = each.deprecation_reason
                assert reason is None or "Use " in reason, f"{type_.name}.{place}: the reason must say Use …"


def test_every_fact_can_be_read_filtered_and_ordered_by() -> None:
    text = sdl()
    facts = text[text.index("type Facts {") :].partition("\n}")[0]
    filters = text[text.index("input CustomerFilter {") :].partition("\n}")[0]
    orders = text[text.index("enum CustomerOrderField {") :].partition("\n}")[0]
    for fact in CATALOGUE:
        head, *rest = fact.name.split("_")
        name = head + "".join(word.capitalize() for word in rest)
        assert f"  {name}: {'Float' if fact.kind == 'number' else 'String'}\n" in facts + "\n"
        assert f"  {name}: {'NumberFilter' if fact.kind == 'number' else 'TextFilter'}\n" in filters + "\n"
        assert fact.kind == "text" or f"  {fact.name.upper()}\n" in orders + "\n"

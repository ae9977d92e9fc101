"""The committed SDL is what the types say."""

from schema.sdl import PATH, sdl
from scoring.facts import CATALOGUE


def test_the_committed_sdl_is_fresh() -> None:
    assert PATH.read_text(encoding="utf-8") == sdl(), "run: python -m schema.sdl"


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

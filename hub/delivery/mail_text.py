"""The plain text of a mail, from the same Markdown as its HTML: 76 columns wide, links written out, tables aligned.

Parsed Markdown becomes a tree of blocks once (`blocks`); `text` lays it out with the values of a message.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from markdown_it.token import Token
from markdown_it.tree import SyntaxTreeNode

from hub.delivery.markdown import CLOSE, TARGET, Values, address, fill

WIDTH = 76
NARROWEST = 12
_RULE = "--"
_LINK = re.compile(f"{TARGET}([:(])(\\d+){CLOSE}")  # behind a link's words: how its address is written, and which it is

Fill = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Paragraph:
    """underline: what is drawn below it, for headings."""

    text: str
    underline: str = ""


@dataclass(frozen=True, slots=True)
class Nested:
    """Blocks that stand behind something: `first` on the first line, `rest` on the others."""

    first: str
    rest: str
    blocks: "tuple[Block, ...]"
    tight: bool = False


@dataclass(frozen=True, slots=True)
class Several:
    """Blocks without a blank line between them: the items of a list."""

    blocks: "tuple[Block, ...]"


@dataclass(frozen=True, slots=True)
class Literal:
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """rows: the head first, where there is one. right: of each column, whether it is flush right."""

    rows: tuple[tuple[str, ...], ...]
    right: tuple[bool, ...]
    headed: bool


Block = Paragraph | Nested | Several | Literal | Table


class _Reader:
    """Reads a message's Markdown in order; links are numbered as `hub.delivery.markdown.read` numbered them."""

    def __init__(self, first_target: int) -> None:
        self.target = first_target

    def blocks(self, nodes: Sequence[SyntaxTreeNode], *, depth: int = 0) -> tuple[Block, ...]:
        return tuple(self.block(node, depth) for node in nodes)

    def block(self, node: SyntaxTreeNode, depth: int) -> Block:
        match node.type:
            case "heading":
                return Paragraph(self.inline(node), {"h1": "=", "h2": "-"}.get(node.tag, ""))
            case "bullet_list" | "ordered_list":
                return self.items(node, depth)
            case "blockquote":
                return Nested("> ", "> ", self.blocks(node.children, depth=depth))
            case "fence" | "code_block":
                return Literal(tuple(f"    {line}" for line in node.content.rstrip("\n").split("\n")))
            case "hr":
                return Literal((_RULE,))
            case "table":
                return self.table(node)
        return Paragraph(self.inline(node))

    def items(self, node: SyntaxTreeNode, depth: int) -> Several:
        number = int(node.attrs.get("start", 1)) if node.type == "ordered_list" else None
        made = []
        for item in node.children:
            sign = "- " if number is None else f"{number}. "
            number = None if number is None else number + 1
            blocks = self.blocks(item.children, depth=depth + 1)
            made.append(
                Nested(sign if depth else f"  {sign}", " " * (len(sign) + (0 if depth else 2)), blocks, tight=True)
            )
        return Several(tuple(made))

    def table(self, node: SyntaxTreeNode) -> Table:
        rows = [row.children for part in node.children for row in part.children]
        texts = [tuple(self.inline(cell) for cell in row) for row in rows]
        headed = any(texts[0])
        right = tuple("right" in str(cell.attrs.get("style", "")) for cell in rows[0])
        return Table(tuple(texts if headed else texts[1:]), right, headed)

    def inline(self, node: SyntaxTreeNode) -> str:
        alone = bool(node.children) and len(node.children[0].children) == 1
        return "".join(self.piece(child, alone) for each in node.children for child in each.children)

    def piece(self, node: SyntaxTreeNode, alone: bool = False) -> str:
        match node.type:
            case "softbreak":
                return " "
            case "hardbreak":
                return "\n"
            case "image":
                return f"[{_words(node)}]"
            case "link":
                label = "".join(self.piece(each) for each in node.children)
                target = f"{TARGET}{':' if alone else '('}{self.target}{CLOSE}"
                self.target += 1
                return label + target
        return node.content or "".join(self.piece(each) for each in node.children)


def _words(node: SyntaxTreeNode) -> str:
    return "".join(_words(each) for each in node.children) if node.children else node.content


def blocks(tokens: Sequence[Token], *, first_target: int = 0) -> tuple[Block, ...]:
    """What `tokens` say, block by block."""
    return _Reader(first_target).blocks(SyntaxTreeNode(list(tokens)).children)


def text(said: Sequence[Block], values: Values, targets: Sequence[str]) -> str:
    """Laid out, with a line break at the end."""

    def filled(source: str) -> str:
        made = ""
        plain, *links = _LINK.split(source)
        made += fill(plain, values)
        for kind, number, after in zip(links[::3], links[1::3], links[2::3], strict=True):
            made += _written(address(targets[int(number)], values), made, kind) + fill(after, values)
        return made

    return "\n".join(_lines(said, filled, WIDTH)).rstrip("\n") + "\n"


def _written(where: str | None, before: str, kind: str) -> str:
    """A link's address behind its words, unless they are the address, or there is none to open."""
    if where is None or before.endswith(where):
        return ""
    return f": {where}" if kind == ":" else f" ({where})"


def _lines(said: Sequence[Block], filled: Fill, width: int, *, tight: bool = False) -> list[str]:
    made: list[str] = []
    for block in said:
        lines = _block(block, filled, width)
        if made and lines and not tight:
            made.append("")
        made += lines
    return made


def _block(block: Block, filled: Fill, width: int) -> list[str]:
    match block:
        case Paragraph():
            lines = wrapped(filled(block.text), width)
            return [*lines, block.underline * max(map(len, lines), default=0)] if block.underline else lines
        case Nested():
            inner = _lines(block.blocks, filled, width - len(block.rest), tight=block.tight)
            return [f"{block.rest if n else block.first}{line}".rstrip() for n, line in enumerate(inner)]
        case Several():
            return _lines(block.blocks, filled, width, tight=True)
        case Literal():
            return [filled(line) for line in block.lines]
    return _table(block, filled, width)


def _table(table: Table, filled: Fill, width: int) -> list[str]:
    rows = [[filled(cell) for cell in row] for row in table.rows]
    widths = [max(map(len, column), default=0) for column in zip(*rows, strict=True)]
    while sum(widths) + 2 * len(widths) > width and max(widths) > NARROWEST:
        widths[widths.index(max(widths))] -= 1
    lines: list[str] = []
    for number, row in enumerate(rows):
        cells = [wrapped(cell, room) for cell, room in zip(row, widths, strict=True)]
        for each in zip_longest(*cells, fillvalue=""):
            flush = zip(each, widths, table.right, strict=True)
            shown = (cell.rjust(room) if right else cell.ljust(room) for cell, room, right in flush)
            lines.append(f"  {'  '.join(shown)}".rstrip())
        if table.headed and number == 0:
            lines.append("  " + "  ".join("-" * room for room in widths))
    return lines


def wrapped(words: str, width: int) -> list[str]:
    """`words` in lines of at most `width`; a word longer than that has a line for itself."""
    lines: list[str] = []
    for line in words.split("\n"):
        room = ""
        for word in line.split(" "):
            if room and len(room) + 1 + len(word) > width:
                lines.append(room)
                room = word
            else:
                room = f"{room} {word}" if room else word
        lines.append(room)
    return lines

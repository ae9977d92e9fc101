"""The tables of docs/bi.md: every view with its columns, as the code declares them. `python -m hub.export.page` writes them."""

from pathlib import Path

from hub.store.bi import VIEWS, View

PAGE = Path(__file__).parents[2] / "docs/bi.md"
BEGIN, END = "<!-- views -->\n", "<!-- end of views -->\n"


def written(page: str) -> str:
    """The page with its tables as they are now."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return before + BEGIN + "\n" + "\n".join(_section(view) for view in VIEWS.values()) + "\n" + END + after


def _section(view: View) -> str:
    rows = [
        f"| `{each.name}` | {each.kind} | {each.about}{' Personal: exports only.' if each.personal else ''} |"
        for each in view.columns
    ]
    return "\n".join(
        [
            f"### `{view.view}`, `/export/{view.name}.csv`",
            "",
            view.about,
            "",
            "| column | type | |",
            "|---|---|---|",
            *rows,
            "",
        ]
    )


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")

"""docs/bi.md lists the columns there are."""

from hub.export.page import PAGE, written


def test_the_page_is_current() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert written(page) == page, "run `python -m hub.export.page`"
    assert "| `churn_risk` | number |" in page

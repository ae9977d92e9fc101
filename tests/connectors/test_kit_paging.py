from datetime import UTC, datetime, timedelta

import pytest

from connectors.kit.errors import ContractError
from connectors.kit.paging import KeysetPages, NumberPages, TimePages, TokenPages, link_next, own_path, time_windows


def test_tokens_go_on_until_there_is_none_and_never_in_a_circle() -> None:
    pages = TokenPages("tickets")
    assert [pages.next(token) for token in ("a", "b", "c")] == ["a", "b", "c"]
    assert (pages.next(None), pages.next("")) == (None, None)
    with pytest.raises(ContractError, match=r"^tickets: .* same page token twice"):
        pages.next("a")


def test_keys_advance_as_numbers_where_they_are_numbers() -> None:
    pages = KeysetPages("deals")
    assert pages.next("99", full=True) == "99"
    assert pages.next("100", full=True) == "100"
    assert pages.next("101", full=False) is None
    with pytest.raises(ContractError, match="does not advance"):
        pages.next("100", full=True)
    texts = KeysetPages("names", last="b")
    assert texts.next("ba", full=True) == "ba"
    assert texts.next(None, full=False) is None
    with pytest.raises(ContractError, match="holds no key to go on from"):
        texts.next(None, full=True)


def test_page_numbers_and_offsets_end_at_a_short_page_or_the_vendors_word() -> None:
    pages = NumberPages("rows", size=10)
    assert (pages.start, pages.next(10), pages.next(10), pages.next(9)) == (1, 2, 3, None)
    offsets = NumberPages("rows", size=10, offset=True)
    assert (offsets.start, offsets.next(10), offsets.next(3, more=True), offsets.next(10, more=False)) == (
        0,
        10,
        20,
        None,
    )


def test_a_cap_with_more_to_come_is_said_instead_of_ending_quietly() -> None:
    pages = NumberPages("rows", size=10, offset=True, cap=30)
    assert [pages.next(10), pages.next(10)] == [10, 20]
    with pytest.raises(ContractError, match="more than 30 rows"):
        pages.next(10)


def test_windows_cover_a_span_without_gap_or_overlap() -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    windows = list(time_windows(start, start + timedelta(days=5), step=timedelta(days=2)))
    assert windows == [
        (start, start + timedelta(days=2)),
        (start + timedelta(days=2), start + timedelta(days=4)),
        (start + timedelta(days=4), start + timedelta(days=5)),
    ]
    assert list(time_windows(start, start, step=timedelta(days=1))) == []
    with pytest.raises(ValueError, match="positive"):
        list(time_windows(start, start, step=timedelta(0)))


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("https://api.vendor.example/api/v2/rows?cursor=x%3D&n=1", "/rows?cursor=x%3D&n=1"),
        ("https://API.vendor.example:443/api/v2/rows", "/rows"),
        ("/api/v2/rows?page=2", "/rows?page=2"),
        ("/rows", "/rows"),
        ("https://api.vendor.example/api/v20/rows", "/api/v20/rows"),
    ],
)
def test_a_next_url_of_the_own_host_becomes_a_path(url: str, path: str) -> None:
    assert own_path(url, base_url="https://api.vendor.example/api/v2") == path


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/api/v2/rows",
        "http://api.vendor.example/api/v2/rows",
        "https://api.vendor.example:8443/api/v2/rows",
        "https://api.vendor.example@evil.example/rows",
        "//evil.example/rows",
    ],
)
def test_a_next_url_of_another_host_is_refused_naming_both(url: str) -> None:
    with pytest.raises(
        ContractError, match=r"at .*//(evil|api\.vendor)\.example.* configured for https://api\.vendor\.example;"
    ):
        own_path(url, base_url="https://api.vendor.example/api/v2")


@pytest.mark.parametrize(
    ("header", "url"),
    [
        ('<https://a.example/rows?page=2>; rel="next"', "https://a.example/rows?page=2"),
        (
            "<https://a.example/r?ids=1,2>; rel=prev, <https://a.example/r?ids=3,4>; rel=next",
            "https://a.example/r?ids=3,4",
        ),
        ('</rows?page=9>; title="next, please"; rel="last", </rows?page=3>;REL="Next start"', "/rows?page=3"),
        ('</rows?page=9>; rel="last"', None),
        ("", None),
    ],
)
def test_a_link_header_names_the_next_page(header: str, url: str | None) -> None:
    assert link_next({"link": header} if header else {}) == url


def test_pages_by_change_begin_anew_at_the_last_one_and_are_numbered_within_a_second() -> None:
    pages = TimePages("rows", 100)
    assert pages.take([("a", 101), ("b", 105)], more=True) == [True, True]
    assert (pages.since, pages.number, pages.ended) == (105, 1, False)
    assert pages.take([("b", 105), ("c", 105)], more=True) == [False, True]
    assert (pages.since, pages.number) == (105, 2)  # nothing newer on a full page: the second goes on
    with pytest.raises(ContractError, match="page 2 came twice"):
        pages.take([("b", 105), ("c", 105)], more=True)
    assert pages.take([("d", 105), ("e", 109)], more=True) == [True, True]
    assert (pages.since, pages.number) == (109, 1)
    assert pages.take([("d", 105 + 3), ("e", 109), ("f", 0)], more=False) == [True, False, True]  # f does not say when
    assert pages.ended


@pytest.mark.parametrize("times", [(99, 98), (50, 101)])
def test_pages_by_change_out_of_order_or_from_before_are_refused(times: tuple[int, int]) -> None:
    with pytest.raises(ContractError, match="not in the order of changes"):
        TimePages("rows", 99).take([("a", times[0]), ("b", times[1])], more=False)

from datetime import UTC, datetime, timedelta

import pytest

from connectors.kit.budget import Bucket, Budget, Quota, Rate, shared
from connectors.kit.rates import RateReading, fields, named, retry_after, several, standard

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("30", 30.0),
        ("1.5", 1.5),
        ("Sun, 22 Nov 2026 12:01:00 GMT", 60.0),
        ("Sun, 22 Nov 2026 11:00:00 GMT", 0.0),
        ("Sunday, 22-Nov-26 12:02:00 GMT", 120.0),
        ("soon", None),
        ("", None),
        ("-5", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str, seconds: float | None) -> None:
    assert retry_after({"retry-after": value}, NOON) == seconds


def test_resets_are_deltas_epochs_milliseconds_or_a_windows_length() -> None:
    epoch = int(NOON.timestamp()) + 90
    for text, meaning, after in (
        ("60", "delta", 60.0),
        (str(epoch), "epoch", 90.0),
        (str(epoch * 1000), "epoch", 90.0),
        ("45", "epoch", 45.0),  # called an epoch, and sent as a delta
    ):
        read = named(remaining="X-Left", limit="X-Max", reset="X-Reset", reset_is=meaning)
        assert list(read({"x-left": "3", "x-max": "10", "x-reset": text}, NOON)) == [
            RateReading(remaining=3, limit=10, reset_after=after)
        ]
    assert list(named(remaining="X-Left", reset_is=10.0)({"x-left": "0"}, NOON)) == [
        RateReading(remaining=0, reset_after=10.0)
    ]
    assert list(named(remaining="X-Left")({"x-left": "many"}, NOON)) == []


def test_fields_in_one_header_are_read_for_the_buckets_named() -> None:
    headers = {
        "zendesk-ratelimit-incremental-exports": "total=10; remaining=9; resets=60",
        "Zendesk-RateLimit-Search-Index": "total=5;remaining=0;resets=7",
        "other": "remaining=1",
    }
    exports = fields("zendesk-ratelimit-", buckets={"incremental-exports": "exports"})
    assert list(exports(headers, NOON)) == [RateReading(bucket="exports", remaining=9, limit=10, reset_after=60)]
    both = list(several(fields("zendesk-ratelimit-"), standard)(headers, NOON))
    assert [(reading.bucket, reading.remaining) for reading in both] == [(None, 9), (None, 0)]


def test_a_bucket_hands_out_starts_under_all_its_rates() -> None:
    bucket = Bucket([Rate(2, 1.0), Rate(3, 10.0)])
    assert [bucket.reserve(100.0)[0] for _ in range(5)] == [0.0, 0.0, 1.0, 10.0, 10.0]
    assert bucket.reserve(150.0) == (0.0, True)


def test_what_would_wait_too_long_takes_no_place() -> None:
    bucket = Bucket([Rate(1, 60.0)])
    bucket.reserve(0.0)
    assert bucket.reserve(0.0, at_most=5.0) == (60.0, False)
    assert bucket.reserve(30.0, at_most=30.0) == (30.0, True)


def test_headers_stop_a_bucket_or_slow_it_down() -> None:
    bucket = Bucket([])
    bucket.observe(RateReading(remaining=50, limit=100, reset_after=10), 0.0)
    assert bucket.reserve(0.0)[0] == 0.0
    bucket.observe(RateReading(remaining=4, limit=100, reset_after=10), 0.0)
    assert bucket.reserve(0.0)[0] == 2.0
    bucket.observe(RateReading(remaining=0, limit=100, reset_after=10), 0.0)
    assert bucket.reserve(0.0)[0] == 10.0
    bucket.block(3.0, 0.0)  # less than is known already
    assert bucket.reserve(0.0)[0] == 10.0


async def test_one_credential_has_one_budget_and_an_unknown_bucket_is_the_default_one() -> None:
    made = []

    def make() -> Budget:
        made.append(1)
        return Budget({"default": [Rate(1, 60)]}, concurrency=2)

    ours = shared("vendor", "https://a.example", "token-1", make=make)
    assert shared("vendor", "https://a.example", "token-1", make=make) is ours
    assert shared("vendor", "https://a.example", "token-2", make=make) is not ours
    assert len(made) == 2
    assert ours.bucket("nobody knows") is ours.bucket("default")
    assert ours.slot() is ours.slot()


def test_what_is_left_is_as_the_vendor_said_last_or_by_our_own_count() -> None:
    budget = Budget({"default": [Rate(10, 60), Rate(100, 3600)], "exports": [Rate(5, 60)], "never": [Rate(1, 1)]})
    for tick in (100.0, 130.0, 150.0):
        budget.bucket("default").reserve(tick)
    budget.bucket("exports").reserve(150.0)
    told = RateReading(remaining=9, limit=10, reset_after=30)
    budget.observe("exports", told, at=NOON - timedelta(seconds=20), tick=130.0)
    budget.observe("daily", RateReading(remaining=7), at=NOON, tick=150.0)
    budget.observe("exports", RateReading(limit=10), at=NOON, tick=150.0)  # of what is left it says nothing
    assert budget.quotas(at=NOON, tick=150.0) == [
        Quota(name="daily", limit=None, remaining=7, resets_at=None, as_of=NOON),
        Quota(name="default", limit=10, remaining=7, resets_at=NOON + timedelta(seconds=60), as_of=NOON),
        Quota(
            name="exports",
            limit=10,
            remaining=9,
            resets_at=NOON + timedelta(seconds=10),
            as_of=NOON - timedelta(seconds=20),
        ),
    ]
    later = budget.quotas(at=NOON, tick=205.0)[1]
    assert (later.limit, later.remaining) == (10, 9), "two of three are longer ago than the minute"
    assert Budget({"default": []}).quotas(at=NOON, tick=0.0) == []

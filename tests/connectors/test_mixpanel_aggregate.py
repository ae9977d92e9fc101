import json
from pathlib import Path

import pytest

from connectors.mixpanel.aggregate import Usage, project_clock
from connectors.mixpanel.export import IncompleteError, Reader, whole

FIXTURES = Path(__file__).parents[2] / "connectors" / "mixpanel" / "fixtures"


def test_an_export_becomes_the_rows_and_faults_that_stand_beside_it() -> None:
    golden = json.loads((FIXTURES / "export.expected.json").read_text())
    reader, usage = Reader(), Usage(company="company_id")
    usage.add(reader.events((FIXTURES / "export.jsonl").read_bytes().splitlines(keepends=True)))
    reader.close()
    faults = [*reader.faults, *usage.faults()]
    assert list(usage.rows()) == golden["rows"]
    assert [{"key": one.key, "reason": one.reason, "field": one.field} for one in faults] == golden["faults"]
    assert (usage.events, usage.duplicates, usage.outside) == (7, 1, 0)


def event(at: int, **properties: object) -> dict[str, object]:
    return {"event": "login", "properties": {"time": at, "distinct_id": "u", "company_id": "c", **properties}}


def test_the_same_events_in_another_order_and_twice_give_the_same_rows() -> None:
    events = [event(at, **{"$insert_id": f"i{at}", "mp_processing_time_ms": at * 1000 + 7}) for at in (5, 90, 86_500)]
    once, again = Usage(company="company_id"), Usage(company="company_id")
    once.add(events)
    again.add([*reversed(events), *events])
    assert list(once.rows()) == list(again.rows())
    assert (once.duplicates, again.duplicates) == (0, 3)


def test_a_late_event_raises_the_version_of_its_day_and_of_no_other() -> None:
    events = [event(at, mp_processing_time_ms=at * 1000) for at in (5, 86_500)]
    before, after = Usage(company="company_id"), Usage(company="company_id")
    before.add(events)
    after.add([*events, event(2, mp_processing_time_ms=99_000_000)])
    old, new = ([(row["kind"], row["day"], row["version"]) for row in usage.rows()] for usage in (before, after))
    assert old == [
        ("user_day", "1970-01-01", 5_000),
        ("user_day", "1970-01-02", 86_500_000),
        ("feature_day", "1970-01-01", 5_000),
        ("feature_day", "1970-01-02", 86_500_000),
    ]
    assert [version for _, day, version in new if day == "1970-01-01"] == [99_000_000, 99_000_000]
    assert [row for row in new if row[1] == "1970-01-02"] == [row for row in old if row[1] == "1970-01-02"]


def test_wall_clock_times_of_an_old_project_become_utc() -> None:
    to_utc = project_clock("America/New_York")
    assert project_clock("UTC") is None
    assert to_utc is not None
    summer, winter = 1_782_907_200, 1_795_348_800  # 12:00 on 2026-07-01 and on 2026-11-22, as if UTC
    assert to_utc(summer) - summer == 4 * 3600
    assert to_utc(winter) - winter == 5 * 3600


@pytest.mark.parametrize(
    "body",
    [b'{"event":"a"}\n{"eve', b'{"event":"a"}\nterminated early\n', b'{"event":"a"}\n"terminated early"\n'],
)
def test_a_body_that_stops_early_is_noticed(body: bytes) -> None:
    assert not whole(body)
    reader = Reader()
    with pytest.raises(IncompleteError):  # noqa: PT012 - which of the two notices depends on the body
        list(reader.events(body.splitlines(keepends=True)))
        reader.close()


def test_a_complete_body_may_be_empty_or_lack_its_last_line_end() -> None:
    assert whole(b"")
    assert whole(b"\n")
    assert whole(b'{"event":"a"}')
    assert whole(b'{"event":"a"}\n{"event":"b"}\r\n')


def test_a_line_that_is_no_record_is_refused_once_the_next_one_stands_by_itself() -> None:
    reader = Reader()
    events = list(reader.events([b'{"event":"a"}\n', b"garbage\n", b"17\n", b'{"event":"b"}\n']))
    reader.close()
    assert events == [{"event": "a"}, {"event": "b"}]
    assert [fault.raw for fault in reader.faults] == [{"line": "garbage17"}]

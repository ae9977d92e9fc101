"""Event sets: tables as they come, labels by terms and by silence, features by hand, nothing read from the future."""

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest

from hub.errors import NotFoundError, RefusedError
from scoring.churn_definition import ChurnDefinition, Snapshots
from scoring.datasets.backtest import Backtest
from scoring.datasets.eventset import EventSet, Naming
from scoring.datasets.labels import Labels, grid
from scoring.datasets.snapshots import Scheme, snapshot
from scoring.datasets.tables import NO_DAY, read

DEFINITION = ChurnDefinition(horizons=("30d",), lead_days=0, snapshots=Snapshots(minimum_tenure_days=14))


def day(text: str) -> int:
    return date.fromisoformat(text).toordinal()


def folder(path: Path, **files: str) -> Path:
    for name, text in files.items():
        (path / f"{name}.csv").write_text(text.replace(" ", ""))
    return path


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["2024-01-31", "2024-02-01 13:45:00", "2024-02-01T13:45:00Z"], ["2024-01-31", "2024-02-01", "2024-02-01"]),
        (["20240131", "", "20240201"], ["2024-01-31", None, "2024-02-01"]),
        (["31-01-2024", "01-02-2024", "NA"], ["2024-01-31", "2024-02-01", None]),
        (["01/31/2024", "02/01/2024", "02/01/2024"], ["2024-01-31", "2024-02-01", "2024-02-01"]),
        (["1706659200", "1706745600", "1706745600.5"], ["2024-01-31", "2024-02-01", "2024-02-01"]),
        (["1706659200000", "1706745600000", ""], ["2024-01-31", "2024-02-01", None]),
    ],
)
def test_days_are_read_as_they_are_written(tmp_path: Path, texts: list[str], expected: list[str | None]) -> None:
    path = tmp_path / "x.csv"
    path.write_text("on,n\n" + "".join(f"{text},1\n" for text in texts))
    assert read(path).days("on").tolist() == [NO_DAY if one is None else day(one) for one in expected]


def test_what_cannot_be_read_says_where(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("on,n\n01/02/2024,many\n03/04/2024,1\n")
    with pytest.raises(RefusedError, match="column 'on' may be day first or month first"):
        read(path).days("on")
    with pytest.raises(RefusedError, match="column 'n' holds 'many', which is no number"):
        read(path).numbers("n")
    path.write_text("on;n\n1;2\n")
    with pytest.raises(RefusedError, match="--sep"):
        read(path)
    path.write_text("on,n\n1,2\n1\n")
    with pytest.raises(RefusedError, match="the header has 2 columns, a row has 1"):
        read(path)
    with pytest.raises(NotFoundError, match=r"there is no file .*y\.csv"):
        read(tmp_path / "y.csv")


def test_files_and_columns_that_are_not_there_are_named(tmp_path: Path) -> None:
    folder(tmp_path, accounts="id\n1\n")
    with pytest.raises(NotFoundError, match=r"has no events\.csv.*; it has: accounts\.csv"):
        EventSet.load(tmp_path, Naming())
    folder(tmp_path, events="who, moment\n1, 2024-01-01\n")
    with pytest.raises(NotFoundError, match=r"looks like the customer .*--customer\. It has: who, moment"):
        EventSet.load(tmp_path, Naming())
    with pytest.raises(NotFoundError, match=r"no column 'whom'; it has: who, moment"):
        EventSet.load(tmp_path, Naming({"customer": "whom"}))
    found = EventSet.load(tmp_path, Naming({"customer": "who", "time": "moment"}))
    assert found.customers.tolist() == ["1"]
    assert found.events.days.tolist() == [day("2024-01-01")]


TERMS = """account_id, start_date,  end_date, mrr
    a, 2024-01-01, 2024-02-01, 10
    a, 2024-02-01, 2024-03-01, 10
    b, 2024-01-01, 2024-02-01, 10
    b, 2024-03-02, 2024-06-01, 10
    c, 2024-01-01, 2024-02-01, 10
    c, 2024-03-03, 2024-06-01, 10
    d, 2024-01-01, 2024-06-01, 10
    d, 2024-01-01, 2024-02-01, 5
    e, 2024-01-01, 2024-02-01, 0
    f, 2024-05-10, 2024-06-10, 10
"""
EVENTS = "account_id, date\na, 2024-01-05\nz, 2024-01-05\n"


def test_labels_follow_the_rules_of_terms(tmp_path: Path) -> None:
    data = EventSet.load(folder(tmp_path, subscriptions=TERMS, events=EVENTS), Naming())
    assert data.customers.tolist() == ["a", "b", "c", "d", "e", "f", "z"]
    assert data.known_until == day("2024-05-10")
    labels = Labels.of(data, DEFINITION)
    assert labels.churns is not None
    # b was back on the 30th day, c on the 31st; the dearer term of d runs on; e never paid; one of two ends returned late
    assert labels.churns.customers.tolist() == ["a", "c"]
    assert labels.churns.days.tolist() == [day("2024-03-01"), day("2024-02-01")]
    assert labels.wait == 30
    at_stake, churned = labels.on(day("2024-01-20"))
    assert data.customers[at_stake].tolist() == ["a", "b", "c", "d"]
    assert data.customers[at_stake & churned].tolist() == ["c"]
    at_stake, churned = labels.on(day("2024-02-01"))
    assert data.customers[at_stake].tolist() == ["a", "d"]
    assert data.customers[at_stake & churned].tolist() == ["a"]
    assert Labels.of(data, DEFINITION.model_copy(update={"grace_days": 29})).churns.customers.tolist() == [
        "a",
        "b",
        "c",
    ]  # type: ignore[union-attr] # there are terms


def test_a_lead_leaves_out_who_left_before_anybody_could_act(tmp_path: Path) -> None:
    data = EventSet.load(folder(tmp_path, subscriptions=TERMS, events=EVENTS), Naming())
    labels = Labels.of(data, DEFINITION.model_copy(update={"lead_days": 14}))
    at_stake, churned = labels.on(day("2024-01-20"))
    assert data.customers[at_stake].tolist() == ["a", "b", "d"]
    assert data.customers[at_stake & churned].tolist() == ["a"]


def test_without_terms_silence_is_leaving(tmp_path: Path) -> None:
    events = (
        "customer, date\na, 2024-01-01\na, 2024-02-20\nb, 2024-01-01\nb, 2024-02-10\nc, 2023-11-01\nd, 2024-01-31\n"
    )
    data = EventSet.load(folder(tmp_path, events=events + "e, 2024-01-01\ne, 2024-03-02\n"), Naming())
    at_stake, churned = Labels.of(data, DEFINITION).on(day("2024-02-01"))
    # within two horizons before: c was not; d began the day before; the 30 days end with the second of March
    assert data.customers[at_stake].tolist() == ["a", "b", "e"]
    assert data.customers[at_stake & churned].tolist() == []
    at_stake, churned = Labels.of(data, DEFINITION).on(day("2024-02-10"))
    assert data.customers[at_stake & churned].tolist() == ["b"]


def test_a_day_of_leaving_in_accounts_decides(tmp_path: Path) -> None:
    accounts = "account_id, gone\na, 2024-02-15\nb,\nc, 2024-01-10\n"
    path = folder(tmp_path, accounts=accounts, events="account_id, date\na, 2024-01-01\nb, 2024-01-01\nc, 2024-04-01\n")
    data = EventSet.load(path, Naming({"left": "gone"}))
    at_stake, churned = Labels.of(data, DEFINITION).on(day("2024-02-01"))
    assert data.customers[at_stake].tolist() == ["a", "b"]
    assert data.customers[at_stake & churned].tolist() == ["a"]


def test_snapshots_are_month_starts_and_fifteenths_where_the_horizon_is_short() -> None:
    first, last = day("2024-01-02"), day("2024-03-01")
    assert grid(first, last, horizon_days=90) == [day("2024-02-01"), day("2024-03-01")]
    assert grid(first, last, horizon_days=30) == [
        day(one) for one in ("2024-01-15", "2024-02-01", "2024-02-15", "2024-03-01")
    ]


def test_features_by_hand(tmp_path: Path) -> None:
    terms = """account_id, start_date, end_date, mrr, quantity, units, bill_period_months, plan
        a, 2023-01-31, 2023-07-31, 60, 12, users, 6, pro
        a, 2023-07-31, 2024-01-31, 90, 10, users, 6, pro
        a, 2023-12-05, 2024-01-05, 10, 5000, calls, 1, calls
    """
    events = """account_id, date, event, n, value
        a, 2023-12-31, open, 2, 1.5
        a, 2023-12-31, save, 4, 2.5
        a, 2023-12-10, open, 6,
        a, 2023-11-20, open, 8, 5
        a, 2023-10-10, open, 20, 5
        a, 2024-01-01, save, 99, 99
    """
    data = EventSet.load(folder(tmp_path, subscriptions=terms, events=events), Naming())
    first = np.array([day("2023-01-31")])
    columns = snapshot(data, first, day("2023-12-31"), Scheme([0, 1], ["calls", "pro"]))
    read_off = {name: float(values[0]) for name, (_, values) in columns.items()}
    expected = {
        "tenure_days": 334,
        "mrr": 100,
        "mrr_change_90d": 100 / 90 - 1,
        "seats_purchased": 10,
        "mrr_per_seat": 10,
        "plan=calls": 0,
        "plan=pro": 1,
        "term_months": 6,
        "days_to_renewal": 31,
        "renewals": 2,
        "events_28d": 12,
        "events_84d": 40 / 3,
        "events_life": 40,
        "events_a_month": 40 / 335 * 28,
        "usage_trend": 12 / 8 - 1,
        "usage_of_84d": 12 / (40 / 3),
        "active_days_28d": 2,
        "active_days_84d": 4 / 3,
        "active_days_life": 4,
        "days_since_active": 0,
        "mean_pause": 82 / 3,
        "features_used_28d": 2,
        "features_trend": 1,
        "events_28d:open": 8,
        "events_28d:save": 4,
        "events_84d:open": 36 / 3,
        "share_84d:save": 0.1,
        "value_28d": 4,
        "value_84d": 14,
        "value_per_event": 14 / 40,
        "mrr_per_event": 100 / (40 / 3),
        "events_per_seat": 40 / 3 / 10,
    }
    assert {name: read_off[name] for name in expected} == pytest.approx(expected)


def test_an_end_that_only_a_cancellation_makes_is_no_feature(tmp_path: Path) -> None:
    # b has no end, so the end of a is no end of what was paid for but the day a cancelled: nobody knew it before
    terms = "account_id, start_date, end_date, mrr\na, 2024-01-01, 2024-03-01, 10\nb, 2024-01-01, , 10\n"
    data = EventSet.load(folder(tmp_path, subscriptions=terms, events=EVENTS), Naming())
    first = np.full(len(data.customers), day("2024-01-01"))
    _, due = snapshot(data, first, day("2024-02-01"), Scheme([], []))["days_to_renewal"]
    assert np.isnan(due).all()


def test_how_long_the_data_tell_who_left(tmp_path: Path) -> None:
    """Terms of a known length: until the newest began. Where an end is a cancellation: until the newest of those."""
    rows = ["customer_id, start_date, end_date", "a, 2024-01-01, 2024-06-01", "b, 2024-02-01, 2024-03-01"]
    events = "customer_id, date\na, 2024-01-01\nb, 2024-07-01\n"

    def known(name: str, *more: str) -> int:
        (tmp_path / name).mkdir()
        terms = "\n".join([*rows, *more]) + "\n"
        return EventSet.load(folder(tmp_path / name, subscriptions=terms, events=events), Naming()).known_until

    assert known("of a length") == day("2024-02-01")
    assert known("some run on", "c, 2024-01-05,") == day("2024-06-01")
    assert known("one is to end", "c, 2024-01-05,", "d, 2024-01-05, 2024-12-31") == day("2024-06-01")


def made(path: Path, *, customers: int = 600, seed: int = 1) -> Path:
    """A year of monthly terms and events: who does little leaves more often."""
    random = np.random.default_rng(seed)
    began = date(2023, 1, 1)
    rate = random.gamma(2.0, 1.5, customers)
    terms, events = ["customer_id,start_date,end_date,mrr"], ["customer_id,date,event"]
    for who in range(customers):
        start = began + timedelta(days=int(random.integers(0, 120)))
        while start < date(2024, 1, 1):
            end = start + timedelta(days=30)
            terms.append(f"{who},{start},{end},10")
            days = random.integers(0, 30, random.poisson(rate[who])).tolist()
            events += [f"{who},{start + timedelta(days=one)},{'xy'[one % 2]}" for one in days]
            if random.random() < 0.25 * np.exp(-rate[who] / 2):
                break
            start = end
    return folder(path, subscriptions="\n".join(terms), events="\n".join(events))


def test_a_backtest_from_files_to_the_gate(tmp_path: Path) -> None:
    data = EventSet.load(made(tmp_path), Naming())
    dates = {"train_until": date(2023, 8, 1), "test_from": date(2023, 9, 1)}
    found = Backtest.of(data, DEFINITION, **dates)
    # the horizon of the first of August is over on the 31st; what is judged is matured before the data end
    assert found.as_json()["train_days"] == ["2023-01-15", "2023-08-01"]
    assert found.as_json()["test_days"] == ["2023-09-01", "2023-12-01"]
    line = found.judge(DEFINITION).as_json()
    assert line["gate"] == "open"
    assert line["learner"] == "safe"
    assert line["roc_auc"] > 0.65
    assert found.judge(DEFINITION).as_json() == line


def test_nothing_is_learned_from_days_whose_horizon_reaches_into_the_time_judged(tmp_path: Path) -> None:
    data = EventSet.load(made(tmp_path, customers=60), Naming())
    found = Backtest.of(data, DEFINITION, train_until=date(2023, 9, 1), test_from=date(2023, 9, 1))
    assert found.as_json()["train_days"][1] == "2023-08-01"
    with pytest.raises(
        RefusedError,
        match=r"no snapshots to judge on from 2025-01-01 whose 30 days are over by 2023-12-.., the last day the data tell of "
        r"\(--known-until\); the data allow: 2023-02-01 to 2023-11-15",
    ):
        Backtest.of(data, DEFINITION, train_until=date(2023, 9, 1), test_from=date(2025, 1, 1))
    with pytest.raises(RefusedError, match="to learn from until 2023-02-10 whose 30 days are over by 2023-02-20; the"):
        Backtest.of(data, DEFINITION, train_until=date(2023, 2, 10), test_from=date(2023, 2, 20))


def test_what_comes_later_changes_no_feature(tmp_path: Path) -> None:
    (tmp_path / "short").mkdir()
    (tmp_path / "long").mkdir()
    long = made(tmp_path / "long", customers=80)
    cut = {
        name: "\n".join(
            line
            for line in (long / f"{name}.csv").read_text().split("\n")
            if not line.split(",")[1].startswith("2023-1")
        )
        for name in ("subscriptions", "events")
    }
    both = [EventSet.load(one, Naming()) for one in (long, folder(tmp_path / "short", **cut))]
    on, scheme = day("2023-08-01"), Scheme([0, 1], [])
    first, second = (snapshot(data, Labels.of(data, DEFINITION).first, on, scheme) for data in both)
    assert list(first) == list(second)
    shared = np.isin(both[0].customers, both[1].customers)
    for name, (_, values) in second.items():
        np.testing.assert_array_equal(first[name][1][shared], values)


def test_csv_in_an_older_encoding_with_unnamed_columns_and_long_texts(tmp_path: Path) -> None:
    path = tmp_path / "alt.csv"
    path.write_bytes(f"Größe,,\n1,,{'x' * 5000}\n".encode("latin-1"))
    found = read(path)
    assert list(found.columns) == ["Größe", "column 2", "column 3"]
    assert found.columns["column 3"].dtype.itemsize == 4 * 200


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["1,234.50", "7"], [1234.5, 7.0]),
        (["1.234,50", "7"], [1234.5, 7.0]),
        (["0,5", "1,250"], [0.5, 1.25]),  # a comma that English would not have decides for all
        (["1,250", "2,000,000"], [1250.0, 2000000.0]),
        (["€ 5", "-3 EUR", "$-4"], [5.0, -3.0, -4.0]),
        (["1e3", "2"], [1000.0, 2.0]),
    ],
)
def test_numbers_are_read_as_they_are_written(tmp_path: Path, texts: list[str], expected: list[float]) -> None:
    path = tmp_path / "numbers.csv"
    path.write_text("n;x\n" + "".join(f"{text};1\n" for text in texts))
    assert read(path, separator=";").numbers("n").tolist() == expected


@pytest.mark.parametrize("texts", [["1.2.3"], ["12,34,5"], ["-"], ["31.01.2026"], ["1,2,3", "4"]])
def test_what_is_no_number_is_none(tmp_path: Path, texts: list[str]) -> None:
    path = tmp_path / "numbers.csv"
    path.write_text("n;x\n" + "".join(f"{text};1\n" for text in texts))
    assert read(path, separator=";").numbers_or_none("n") is None

"""`EventLog`: hundreds of thousands of product events kept as columns, read as a sequence of ProductEvent."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import overload

import numpy as np

from connectors.kit.simulated import ProductEvent
from hub.demo.company.streams import Ints
from hub.demo.company.usage import FEATURE_NAMES, EventDay

_SCRAMBLE = 0x9E3779B97F4A7C15  # odd, so multiplying by it modulo 2**64 maps no two numbers to one


class EventLog(Sequence[ProductEvent]):
    """Events in order of time; objects are made when they are looked at.

    second   since `midnight`, the start of the window's first day (UTC)
    number   of the event: its day, and its place in that day; never changes
    account, person  numbers from 1
    feature  index into FEATURE_NAMES
    """

    def __init__(
        self, *, midnight: datetime, second: Ints, number: Ints, account: Ints, person: Ints, feature: Ints
    ) -> None:
        self.midnight = midnight
        self.second = second
        self.number = number
        self.account = account
        self.person = person
        self.feature = feature

    @classmethod
    def of(cls, days: Sequence[EventDay], *, started_on: date, account_of: Ints) -> "EventLog":
        """The events of `days`; `account_of`: person -> account, from 0."""
        empty: Ints = np.zeros(0, dtype=np.int64)
        second = np.concatenate([empty, *(day.second + day.day * 86_400 for day in days)])
        number = np.concatenate([empty, *((np.int64(day.day) << 24) + np.arange(len(day.second)) for day in days)])
        person = np.concatenate([empty, *(day.person for day in days)])
        feature = np.concatenate([empty, *(day.feature for day in days)])
        return cls(
            midnight=datetime.combine(started_on, time.min, UTC),
            second=second,
            number=number,
            account=account_of[person] + 1,
            person=person + 1,
            feature=feature,
        )

    def until(self, second: int) -> "EventLog":
        """The events up to and including that second."""
        return self[: int(np.searchsorted(self.second, second, side="right"))]

    def between(self, first: date, last: date) -> "EventLog":
        """The events of the UTC days from `first` to `last`, both included."""
        start, end = (
            np.searchsorted(self.second, (datetime.combine(day, time.min, UTC) - self.midnight).total_seconds())
            for day in (first, last + timedelta(days=1))
        )
        return self[int(start) : int(end)]

    def __len__(self) -> int:
        return len(self.second)

    @overload
    def __getitem__(self, index: int) -> ProductEvent: ...
    @overload
    def __getitem__(self, index: slice) -> "EventLog": ...
    def __getitem__(self, index: int | slice) -> "ProductEvent | EventLog":
        if isinstance(index, slice):
            return EventLog(
                midnight=self.midnight,
                second=self.second[index],
                number=self.number[index],
                account=self.account[index],
                person=self.person[index],
                feature=self.feature[index],
            )
        place = range(len(self))[index]  # the range raises the IndexError, and counts from the end
        return next(iter(self[place : place + 1]))

    def __iter__(self) -> Iterator[ProductEvent]:
        columns = (self.second, self.number, self.account, self.person, self.feature)
        for second, number, account, person, feature in zip(*(column.tolist() for column in columns), strict=True):
            yield ProductEvent(
                insert_id=f"{(number + 1) * _SCRAMBLE & 0xFFFF_FFFF_FFFF_FFFF:016x}",
                at=self.midnight + timedelta(seconds=second),
                account=account,
                person=person,
                name=FEATURE_NAMES[feature],
            )

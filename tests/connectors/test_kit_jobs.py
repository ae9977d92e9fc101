"""Jobs at a vendor, against a vendor that is a few functions and a clock that only sleeping moves."""

from typing import Any

import pytest

from connectors.kit.errors import DeniedError, TransientError
from connectors.kit.jobs import JobFailedError, Polling, run


class Vendor:
    """Gives out job ids; `answers` are what a look at each job says, in turn: a result, None, or an error."""

    def __init__(self, **answers: list[Any]) -> None:
        self.answers, self.submitted, self.looks = answers, list[str](), list[str]()

    async def submit(self) -> str:
        self.submitted.append(f"job{len(self.submitted) + 1}")
        return self.submitted[-1]

    async def look(self, job: str) -> str | None:
        self.looks.append(job)
        said = self.answers[job].pop(0)
        if isinstance(said, Exception):
            raise said
        return None if said is None else str(said)


async def test_looks_come_further_apart_until_the_job_is_done(fake_time: Any) -> None:
    vendor = Vendor(job1=[None, None, None, "made"])
    polling = Polling(first=2, longest=5, growth=2)
    times = {"sleep": fake_time.sleep, "monotonic": fake_time.monotonic}
    assert await run(vendor.submit, vendor.look, what="an export", polling=polling, **times) == "made"
    assert (fake_time.slept, vendor.submitted) == ([2, 4, 5, 5], ["job1"])


async def test_a_failed_job_is_submitted_once_more(fake_time: Any) -> None:
    times = {"sleep": fake_time.sleep, "monotonic": fake_time.monotonic}
    vendor = Vendor(job1=[JobFailedError("aborted")], job2=["made"])
    assert await run(vendor.submit, vendor.look, what="an export", **times) == "made"
    vendor = Vendor(job1=[JobFailedError("aborted")], job2=[JobFailedError("aborted again")])
    with pytest.raises(TransientError, match="an export: the vendor's job failed 2 times: aborted again"):
        await run(vendor.submit, vendor.look, what="an export", **times)
    assert vendor.submitted == ["job1", "job2"]


async def test_a_job_of_an_earlier_sync_is_waited_for_before_a_new_one_is_submitted(fake_time: Any) -> None:
    times = {"sleep": fake_time.sleep, "monotonic": fake_time.monotonic}
    vendor = Vendor(old=[None, "made"])
    assert await run(vendor.submit, vendor.look, what="an export", began="old", **times) == "made"
    assert vendor.submitted == []
    vendor = Vendor(old=[JobFailedError("no such job")], job1=["anew"])
    assert await run(vendor.submit, vendor.look, what="an export", began="old", **times) == "anew"
    assert vendor.looks == ["old", "job1"]


async def test_a_job_that_does_not_end_is_told_and_other_errors_are_handed_on(fake_time: Any) -> None:
    times = {"sleep": fake_time.sleep, "monotonic": fake_time.monotonic}
    vendor = Vendor(job1=[None] * 99)
    with pytest.raises(TransientError, match="an export: the vendor's job still runs after 2 minutes") as caught:
        await run(vendor.submit, vendor.look, what="an export", polling=Polling(deadline=120), **times)
    assert not isinstance(caught.value, JobFailedError)
    assert fake_time.passed < 240
    assert vendor.submitted == ["job1"]
    vendor = Vendor(job1=[DeniedError("no")])
    with pytest.raises(DeniedError):
        await run(vendor.submit, vendor.look, what="an export", **times)
    assert vendor.submitted == ["job1"]

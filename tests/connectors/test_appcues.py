"""What is special about Appcues: exports that take their time, and files behind signed URLs."""

from collections.abc import Callable
from typing import Any

import pytest

from connectors.appcues.exports import _place
from connectors.appcues.sandbox import truth
from connectors.kit.errors import BrokenBodyError, ContractError, DeniedError, TransientError


def paths(appcues: Any) -> list[str]:
    return [path.rsplit("/", 1)[0] if "/job" in path else path for path, _, _ in appcues.asked]


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch, fake_time: Any) -> None:
    monkeypatch.setattr("connectors.kit.tempo.sleep", fake_time.sleep)
    monkeypatch.setattr("connectors.kit.tempo.monotonic", fake_time.monotonic)


async def test_an_export_is_submitted_looked_at_and_fetched_without_the_credential(
    probe: Callable[..., Any], fake_time: Any
) -> None:
    appcues = probe("appcues")
    pulled = await appcues.pull("usage", history_days=10, poll_seconds=7)
    assert pulled.keys == set(truth(appcues.world)["usage"])
    jobs = "/v2/accounts/12345/jobs"
    assert paths(appcues) == ["/v2/accounts/12345/export/events", jobs, jobs, "/files"]
    assert fake_time.slept == [7, 10.5]
    assert pulled.bookmark == {"through": "2026-11-19"}


@pytest.mark.parametrize("trouble", ["failing", "forgotten"])
async def test_a_job_that_fails_or_is_forgotten_is_submitted_once_more(probe: Callable[..., Any], trouble: str) -> None:
    appcues = probe("appcues", **{trouble: 1})
    pulled = await appcues.pull("usage", history_days=10)
    assert pulled.keys == set(truth(appcues.world)["usage"])
    assert paths(appcues).count("/v2/accounts/12345/export/events") == 2
    with pytest.raises(TransientError, match="the vendor's job failed 2 times"):
        await probe("appcues", **{trouble: 2}).pull("usage", history_days=10)


async def test_a_file_elsewhere_is_not_fetched(probe: Callable[..., Any]) -> None:
    appcues = probe("appcues")
    appcues.faults.only, appcues.faults.foreign_next = "/v2/accounts/12345/jobs", 1
    with pytest.raises(ContractError, match=r"elsewhere\.example, which is none of: \.amazonaws\.com"):
        await appcues.pull("usage", history_days=10)
    assert "/files" not in paths(appcues)


async def test_a_file_of_other_days_or_cut_short_is_refused(probe: Callable[..., Any]) -> None:
    appcues = probe("appcues")
    appcues.faults.only, appcues.faults.cut_json = "/files", 1
    with pytest.raises(BrokenBodyError, match="stops within a line"):
        await appcues.pull("usage", history_days=10)


async def test_a_wrong_secret_is_told_after_one_call(probe: Callable[..., Any]) -> None:
    appcues = probe("appcues")
    with pytest.raises(DeniedError, match="needs an API key and its secret") as caught:
        await appcues.pull("usage", api_secret="another-secret")
    assert len(appcues.asked) == 1
    assert "another-secret" not in str(caught.value)


def test_a_status_nobody_knows_is_told_with_those_there_are() -> None:
    assert _place({"status": "Processing"}, what="x") is None
    assert _place({"status": "Finished", "download_url": "https://a.example/f"}, what="x") == "https://a.example/f"
    with pytest.raises(ContractError, match="'melted' is none of the statuses known: cancelled, complete"):
        _place({"status": "melted"}, what="x")
    with pytest.raises(ContractError, match="does not say where the file is"):
        _place({"status": "finished"}, what="x")

"""What sources.yaml says of a source beside its connector's settings."""

from datetime import timedelta
from pathlib import Path

import pytest

from connectors.kit import registry
from hub.errors import ConfigError
from hub.settings import load

SOURCE = """
sources:
  billing:
    connector: csvfile
    settings: {location: x.csv, record: subscription, key: id, company_key: company}
"""
STORE = "store: sqlite:///x.db\n"


def folder(path: Path, *, more: str = "", hub: str = "") -> Path:
    (path / "hub.yaml").write_text(STORE + hub)
    (path / "sources.yaml").write_text(SOURCE + more)
    return path


def test_a_source_is_compared_weekly_and_keeps_no_raw_rows_unless_it_says_so(tmp_path: Path) -> None:
    usual = load(folder(tmp_path), environment={}).sources["billing"]
    assert (usual.reconcile, usual.fresh_for, usual.complete_from) == ("50 4 * * 0", None, 0.95)
    assert (usual.source.raw_days, usual.source.extra_share) == (None, 0.1)
    more = """
    raw_log: {days: 14}
    reconcile: {schedule: null, delete_at_most: 0.02}
    fresh_for: 2 days
    complete_from: 0.99
"""
    own = load(folder(tmp_path, more=more), environment={}).sources["billing"]
    assert (own.reconcile, own.fresh_for, own.complete_from) == (None, timedelta(days=2), 0.99)
    assert (own.source.raw_days, own.source.extra_share) == (14, 0.02)
    assert own.demands() == {"fresh_seconds": 172_800.0, "complete_share": 0.99, "raw_days": 14}


def test_faults_name_the_key(tmp_path: Path) -> None:
    more = """
    raw_log: {days: 0}
    reconcile: {schedule: sometimes}
    complete_from: 2
"""
    with pytest.raises(ConfigError) as error:
        load(folder(tmp_path, more=more), environment={})
    keys = {fault.key for fault in error.value.faults}
    assert {
        "sources.billing.raw_log.days",
        "sources.billing.reconcile.schedule",
        "sources.billing.complete_from",
    } <= keys


def test_a_hook_and_a_source_are_not_heard_at_one_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hub = "hooks:\n  billing: {secret: whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw}\n"
    made = folder(tmp_path, hub=hub)
    assert load(made, environment={}).hub.hooks.keys() == {"billing"}, "the source is not heard at all"
    monkeypatch.setattr(registry, "webhook", lambda _name: object())
    with pytest.raises(ConfigError) as error:
        load(made, environment={})
    [fault] = error.value.faults
    assert "the hook 'billing' and the source 'billing'" in fault.message
    assert "/hooks/billing" in fault.message

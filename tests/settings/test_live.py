"""hub.yaml's `live`: durations of seconds, up to a minute."""

from datetime import timedelta

import pytest
from pydantic import ValidationError

from hub.settings.live import Live


def test_seconds_and_a_minute_are_durations() -> None:
    live = Live.model_validate({"patience": "10 seconds", "check": "1 second"})
    assert (live.patience, live.check) == (timedelta(seconds=10), timedelta(seconds=1))
    assert Live.model_validate({"patience": "1 minute"}).patience == timedelta(minutes=1)


@pytest.mark.parametrize("value", ["0 seconds", "61 seconds", "2 minutes", "10", "ten seconds", 10])
def test_what_is_too_short_too_long_or_no_duration_is_refused(value: object) -> None:
    with pytest.raises(ValidationError):
        Live.model_validate({"patience": value})

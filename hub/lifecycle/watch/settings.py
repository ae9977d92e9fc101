"""Health watch: where warning and critical begin and end, and for how long before it counts; the same of churn risk."""

from pydantic import BaseModel, ConfigDict


class WatchSettings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    enabled: bool = True

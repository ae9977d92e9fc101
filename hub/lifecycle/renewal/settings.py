"""Renewal: from when on one is upcoming and due, and when an overdue one counts as lost."""

from pydantic import BaseModel, ConfigDict


class RenewalSettings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    enabled: bool = True

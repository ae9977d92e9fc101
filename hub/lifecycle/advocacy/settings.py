"""Advocacy: whom to ask how often, and from which answer on somebody is a promoter."""

from pydantic import BaseModel, ConfigDict


class AdvocacySettings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    enabled: bool = True

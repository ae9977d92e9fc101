"""Onboarding: its programmes, their steps, and when one counts as behind or stalled."""

from pydantic import BaseModel, ConfigDict


class OnboardingSettings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    enabled: bool = True

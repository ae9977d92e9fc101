"""The shape of lifecycle.yaml: a section for each area, which the area itself reads."""

from pydantic import BaseModel, ConfigDict, Field

from hub.analytics.digest.settings import ReportsSettings
from hub.analytics.targets_settings import USUAL, TargetSettings
from hub.lifecycle.advocacy.settings import AdvocacySettings
from hub.lifecycle.expansion.settings import ExpansionSettings
from hub.lifecycle.onboarding.settings import OnboardingSettings
from hub.lifecycle.renewal.settings import RenewalSettings
from hub.lifecycle.watch.settings import WatchSettings


class LifecycleFile(BaseModel):
    """config/lifecycle.yaml."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    onboarding: OnboardingSettings = OnboardingSettings()
    watch: WatchSettings = WatchSettings()
    renewal: RenewalSettings = RenewalSettings()
    expansion: ExpansionSettings = ExpansionSettings()
    advocacy: AdvocacySettings = AdvocacySettings()
    targets: dict[str, TargetSettings] = Field(default_factory=lambda: dict(USUAL))
    reports: ReportsSettings = ReportsSettings()

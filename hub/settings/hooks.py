"""The section `hooks` of config/hub.yaml: where other systems may tell us of events.

hooks:
  billing:                           POST /hooks/billing, signed after the Standard Webhooks specification
    secret: ${BILLING_HOOK_SECRET}   whsec_…; `cshub delivery secret` makes one, and the sender gets the same
    old_secret: …                    while you change over
"""

from pydantic import BaseModel, ConfigDict, SecretStr, field_validator

from hub.delivery.webhook import key_of


class Hook(BaseModel):
    """What signs the events that come in there."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    secret: SecretStr
    old_secret: SecretStr | None = None

    @field_validator("secret", "old_secret")
    @classmethod
    def _is_a_secret(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            key_of(value.get_secret_value())
        return value

    @property
    def secrets(self) -> tuple[str, ...]:
        """The newest first."""
        return tuple(each.get_secret_value() for each in (self.secret, self.old_secret) if each is not None)

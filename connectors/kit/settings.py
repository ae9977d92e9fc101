"""What every source's settings share; a connector's folder adds its own fields in a subclass named `Settings`.

Secrets are SecretStr, so that they stay out of logs and tracebacks. Unknown keys are refused.
"""

from typing import ClassVar
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, SecretStr, field_validator


class SourceSettings(BaseModel):
    """base_url: where the API is; proxy: a forward proxy's URL, may hold credentials."""

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    base_url: str
    proxy: SecretStr | None = None

    @field_validator("base_url")
    @classmethod
    def _is_a_url(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("must be a URL such as https://api.example.com")
        if parts.username or parts.password or parts.query or parts.fragment:
            raise ValueError("must hold no credentials, query or fragment; credentials have settings of their own")
        return value.rstrip("/")

"""The section `access` of config/hub.yaml: whose customers a CSM sees, and who comes in by the company's own sign-on.

access:
  csm: book                          a CSM sees only customers whose CSM it is; all (the default): everybody's
  oidc:                              access tokens (JWT) of an OpenID Connect issuer, beside the hub's own tokens
    issuer: https://login.example.com/realms/main
    audience: cshub                  or a list
    algorithms: [RS256]              default: RS256 and ES256
    claims: {email: email, roles: realm_access.roles}
    roles: {cs-managers: manager, cs-team: csm}
    jwks_url: https://…              default: what the issuer's discovery document says
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from hub.access.issuer import KEY_TYPES, is_safe
from hub.access.oidc import OidcRules
from hub.model.actions import Role


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Claims(_Part):
    """Names of claims, or paths with dots."""

    email: str = Field(default="email", min_length=1)
    roles: str = Field(default="roles", min_length=1)


class OidcSection(_Part):
    """roles: {value of the roles' claim: role}. clients: who may have asked for a token (`azp`, `client_id`); else anybody."""

    issuer: str
    audience: list[str] = Field(min_length=1)
    clients: list[str] | None = Field(default=None, min_length=1)
    jwks_url: str | None = None
    algorithms: list[str] = Field(default=["RS256", "ES256"], min_length=1)
    claims: Claims = Claims()
    roles: dict[str, Role] = Field(min_length=1)

    @field_validator("audience", "clients", mode="before")
    @classmethod
    def _one_or_several(cls, value: object) -> object:
        return [value] if isinstance(value, str) else value

    @field_validator("issuer", "jwks_url")
    @classmethod
    def _is_safe(cls, value: str | None) -> str | None:
        if value is not None and not is_safe(value):
            raise ValueError(f"{value!r} must begin with https://: who answers there decides who may come in")
        return value

    @field_validator("algorithms")
    @classmethod
    def _are_asymmetric(cls, value: list[str]) -> list[str]:
        for each in value:
            if each not in KEY_TYPES:
                raise ValueError(f"{each!r} is no algorithm here; there are {', '.join(KEY_TYPES)}")
        return value


class Access(_Part):
    csm: Literal["all", "book"] = "all"
    oidc: OidcSection | None = None

    @property
    def sign_on(self) -> OidcRules | None:
        """How access tokens of the issuer are read; None without one."""
        given = self.oidc
        if given is None:
            return None
        return OidcRules(
            issuer=given.issuer,
            audience=tuple(given.audience),
            roles=given.roles,
            clients=None if given.clients is None else tuple(given.clients),
            jwks_url=given.jwks_url,
            algorithms=tuple(given.algorithms),
            email_claim=given.claims.email,
            roles_claim=given.claims.roles,
        )

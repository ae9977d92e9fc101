"""The section `access` of config/hub.yaml: whose customers a CSM sees, and who comes in by the company's own sign-on.

access:
  csm: book                          a CSM sees only customers whose CSM it is; all (the default): everybody's
  oidc:                              the company's own sign-on (OpenID Connect), beside the hub's own tokens
    issuer: https://login.example.com/realms/main
    audience: cshub                  or a list: access tokens (JWT) for it are taken; without it none are
    algorithms: [RS256]              default: RS256 and ES256
    claims: {email: email, roles: realm_access.roles}
    roles: {cs-managers: manager, cs-team: csm}
    jwks_url: https://…              default: what the issuer's discovery document says
    client_id: cshub-dashboard       people sign in to the dashboard there; it sends them back to URL/sign-in/oidc/callback
    client_secret: ${OIDC_SECRET}    without one this is a public client: PKCE alone
    scopes: [openid, email, profile]
    button: Example login            "Sign in with …"
"""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

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
    audience: list[str] | None = Field(default=None, min_length=1)
    clients: list[str] | None = Field(default=None, min_length=1)
    jwks_url: str | None = None
    algorithms: list[str] = Field(default=["RS256", "ES256"], min_length=1)
    claims: Claims = Claims()
    roles: dict[str, Role] = Field(min_length=1)
    client_id: str | None = Field(default=None, min_length=1)
    client_secret: SecretStr | None = Field(default=None, min_length=1)
    scopes: list[str] = ["openid", "email", "profile"]
    button: str = Field(default="single sign-on", min_length=1, max_length=60)

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

    @field_validator("scopes")
    @classmethod
    def _are_scopes(cls, value: list[str]) -> list[str]:
        if "openid" not in value or any(not each or any(letter.isspace() for letter in each) for each in value):
            raise ValueError("are words such as openid, email, profile, groups, and openid is one of them")
        return value

    @model_validator(mode="after")
    def _is_for_something(self) -> Self:
        if self.audience is None and self.client_id is None:
            raise ValueError("needs an audience, to take access tokens, or a client_id, to sign people in; or both")
        if self.client_secret is not None and self.client_id is None:
            raise ValueError("client_secret is of a client_id, which is not there")
        return self

    def rules(self, audience: tuple[str, ...], *, clients: tuple[str, ...] | None = None) -> OidcRules:
        """How tokens of the issuer for `audience` are read."""
        return OidcRules(
            issuer=self.issuer,
            audience=audience,
            roles=self.roles,
            clients=clients,
            jwks_url=self.jwks_url,
            algorithms=tuple(self.algorithms),
            email_claim=self.claims.email,
            roles_claim=self.claims.roles,
        )


class Access(_Part):
    csm: Literal["all", "book"] = "all"
    oidc: OidcSection | None = None

    @property
    def sign_on(self) -> OidcRules | None:
        """How access tokens of the issuer are read; None where none are taken."""
        given = self.oidc
        if given is None or given.audience is None:
            return None
        return given.rules(tuple(given.audience), clients=None if given.clients is None else tuple(given.clients))

    @property
    def sign_in(self) -> OidcRules | None:
        """How id_tokens of the issuer are read; None where nobody signs in there."""
        given = self.oidc
        return None if given is None or given.client_id is None else given.rules((given.client_id,))

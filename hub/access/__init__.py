"""Who may do what, and what they did: tokens, roles, the audit log, and requests that are carried out once.

`viewer`   who asks: a token's name, role, scopes and book
`tokens`   create, rotate, list and revoke the tokens of the API
`admission`  whom a request comes from, by its token or by the JWT of the company's own sign-on (`oidc`)
`sessions`  browsers that are signed in; `signing_in` and `code_flow`: with a token, or at the company's own sign-on
`acting`   carry out a request of a viewer: audited, and at most once for an idempotency key
"""

from hub.access.viewer import RANK, SCOPES, Viewer

__all__ = ["RANK", "SCOPES", "Viewer"]

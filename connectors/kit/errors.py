"""What can go wrong with a vendor's API, sorted by what to do about it.

    ConnectorError
    ├── DeniedError      a person must act: wrong credential, missing permission, wrong setting; never retried
    ├── TransientError   try again later, as it is (retries inside one sync have been used up)
    │   └── PausedError  … and not before `until`: a quota is used up, which is no failure
    └── ContractError    the vendor broke its documented shape, or we misread it: somebody must look at the connector
        └── BrokenBodyError  … in one body: HTML instead of JSON, a body cut short; retried before it is believed

Messages are fit to show: they name the host and path, never a query string, a header or a credential.
"""

from datetime import datetime
from typing import Literal

from hub import errors

Scope = Literal["source", "stream"]


class ConnectorError(errors.CshubError):
    """The root of what a connector may raise on purpose."""


class DeniedError(ConnectorError):
    """The vendor refuses us, or a setting is wrong. Other streams go on where `scope` is "stream".

    permission  what is to be granted, in the vendor's own words ("crm.objects.deals.read"), where it is known
    """

    def __init__(self, message: str, *, scope: Scope = "source", permission: str | None = None) -> None:
        super().__init__(message)
        self.scope = scope
        self.permission = permission


class TransientError(ConnectorError, errors.TransientError):
    """May work later. `retry_after` is the wait in seconds the vendor asked for, where it did."""

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class PausedError(TransientError):
    """A quota is used up until `until` (aware, UTC); what has landed stays, the sync goes on from there then."""

    def __init__(self, message: str, *, until: datetime) -> None:
        super().__init__(message)
        self.until = until


class ContractError(ConnectorError):
    """The vendor answered what its documentation rules out. `status` is the HTTP status, where there was an answer."""

    def __init__(self, message: str, *, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class BrokenBodyError(ContractError):
    """A body that is not what its status promised."""

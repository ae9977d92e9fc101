"""Who may come in, as hub.yaml's `access` says."""

from hub.access.admission import Admission
from hub.access.oidc import Oidc
from hub.compose.hub import Hub


def admission_of(hub: Hub) -> Admission:
    """One for the life of a process: it knows tokens for a moment, and the keys of the issuer."""
    access = hub.settings.hub.access
    rules = access.sign_on
    return Admission(hub.store, books=access.csm == "book", sign_on=None if rules is None else Oidc(rules))

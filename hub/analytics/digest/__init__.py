"""Weekly and monthly digests: how the customers of a CSM, or all of them, stand, what moved them, and what is ahead.

    made = await prepare(store, "weekly", settings, …)     everything read, once for everybody
    made.owners; digest = made.of("ann@example.com")       numbers and names; made.of(None): of all customers

`settings`   what lifecycle.yaml says        `data`      what is read, in some twenty statements for any number of CSMs
`making`     digests out of it, by CSM       `moving`    the biggest moves, and their exact reasons
`parts`      what a digest is made of        `words` `charts`   as templates and pictures say it
`sending`    messages of the ledger, each under a key of digest, slot and recipient
"""

from hub.analytics.digest.parts import Digest
from hub.analytics.digest.preparing import Prepared, prepare
from hub.analytics.digest.sending import Letters, Page, Recipient, key_of, recipients
from hub.analytics.digest.settings import DigestSettings, ReportsSettings

__all__ = [
    "Digest",
    "DigestSettings",
    "Letters",
    "Page",
    "Prepared",
    "Recipient",
    "ReportsSettings",
    "key_of",
    "prepare",
    "recipients",
]

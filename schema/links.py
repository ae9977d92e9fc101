"""What may be shown of messages that hold signed links: all but the signatures.

Who has such a link votes, answers a survey or unsubscribes as the person it was written for; who may read the ledger is
somebody else.
"""

import re
from collections.abc import Mapping
from typing import Any

_SIGNED = re.compile(r"(/(?:rate|survey|unsubscribe)/)[\w.~%-]+")
CUT = r"\1…"


def without_signatures(value: Any) -> Any:
    """`value`, JSON, with every signed link in its texts cut after what it is for."""
    if isinstance(value, str):
        return _SIGNED.sub(CUT, value)
    if isinstance(value, Mapping):
        return {name: without_signatures(each) for name, each in value.items()}
    return [without_signatures(each) for each in value] if isinstance(value, list) else value

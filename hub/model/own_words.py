"""Texts that may name a person where most do not, and what of them is shown to who may not see personal data.

Where a whole column is people's words it is declared personal (schema.personal). Here are the others: titles, which playbooks
write and people, too, and what a vendor answered, which may quote what it was sent.
"""

import re

BY_HAND = ("hand.", "slack.")
"""How the dedup_key of an alert begins whose title a person wrote, or that quotes a message; of others a playbook wrote it."""
LEFT_OUT = "[address]"
_ADDRESS = re.compile(r"[^\s@<>()\[\]:;,\"'=&?/]+(?:@|%40)[^\s@<>()\[\]:;,\"'=&?/]+\.[^\s@<>()\[\]:;,\"'=&?/]+")


def title_without_words(kind: str, title: str, dedup_key: str) -> str:
    """The title of an alert or a task, without what a person wrote."""
    return f"{kind.capitalize()} in somebody's own words" if dedup_key.startswith(BY_HAND) else title


def without_addresses(text: str) -> str:
    """Without people's addresses."""
    return _ADDRESS.sub(LEFT_OUT, text) if "@" in text or "%40" in text else text

"""Every name a condition may use: the facts, the scorecard's own fields and the customer's, custom fields, search, segments.

`segment` and `csm_email` are both facts and fields of the customer; here they mean the customer's, as they are now.
`custom.<name>` is whatever playbooks wrote there (`update`), a text; nobody need declare it. `search` and `in_segment` are
given a text: words of the customer's name or domain, the name of a saved segment.
"""

import re
from collections.abc import Mapping
from typing import Any

from hub.model.conditions import Field
from hub.store.conditions import CHOOSING, CUSTOM, FIELDS
from scoring.facts import FACTS

OWN_NAME = re.compile("[a-z][a-z0-9_]{0,29}")
"""What a custom field may be called, behind `custom.`."""


class _Vocabulary(dict[str, Field]):
    def get(self, name: str, default: Any = None) -> Any:
        if name.startswith(CUSTOM) and OWN_NAME.fullmatch(name.removeprefix(CUSTOM)):
            return Field(name, "text")
        return super().get(name, default)


VALUES: Mapping[str, Field] = _Vocabulary({name: Field(name, fact.kind) for name, fact in FACTS.items()} | dict(FIELDS))
"""What a customer may have a value of."""
VOCABULARY: Mapping[str, Field] = _Vocabulary(dict(VALUES) | dict(CHOOSING))
"""What a condition may ask."""

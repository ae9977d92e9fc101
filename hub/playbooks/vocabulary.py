"""Every name a condition may use: the facts, the scorecard's own fields and the customer's.

`segment` and `csm_email` are both facts and fields of the customer; here they mean the customer's, as they are now.
"""

from collections.abc import Mapping

from hub.model.conditions import Field
from hub.store.conditions import FIELDS
from scoring.facts import FACTS

VOCABULARY: Mapping[str, Field] = {name: Field(name, fact.kind) for name, fact in FACTS.items()} | dict(FIELDS)

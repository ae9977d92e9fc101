"""Who a customer is: what rules find certain, what people decide, and customers that turn out to be one.

`deciding`  which customer a vendor's key means
`merging`   two customers become one, and two again
"""

from hub.identity.deciding import (
    Decision,
    IdentityRules,
    Resolution,
    SourceRules,
    customer_id_for,
    decide,
    decide_by_hand,
    reopen,
    resolve,
)
from hub.identity.merging import Merged, merge, undo_merge

__all__ = [
    "Decision",
    "IdentityRules",
    "Merged",
    "Resolution",
    "SourceRules",
    "customer_id_for",
    "decide",
    "decide_by_hand",
    "merge",
    "reopen",
    "resolve",
    "undo_merge",
]

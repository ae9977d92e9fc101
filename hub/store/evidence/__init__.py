"""The records behind facts: what a number was counted from, newest first, with source and key.

    found = await find_evidence(connection, customer_ids, facts, as_of=day)      {customer id: {fact: (Evidence, …)}}

A fact's records are those of its own window as of the day, by the rules the fact is counted by (hub.store.facts): known by
the end of the day, of this customer, not deleted. Use is shown by day and source, use of features by feature and source,
because single rows of use say nothing; the key then names the day or the feature. One statement a group of facts that share
a window, whatever number of customers.

`behind`      which kinds of records, over which days, for each fact
`statements` `people`    the records of each kind
`words`       what is said of a record
`found`       all of it put together
"""

from hub.store.evidence.behind import BEHIND, Kind, Span
from hub.store.evidence.found import Evidence, SourceRecord, find_evidence

__all__ = ["BEHIND", "Evidence", "Kind", "SourceRecord", "Span", "find_evidence"]

"""The facts of customers as of a day: a handful of set-based statements, one list per fact, nothing per customer.

    columns = await find_facts(connection, as_of=day)      {"customer_id": [...], "mrr": [...], "wau": [...], …}

What a day may know. A record counts when it happened no later than the day, the hub had learned of it by the end of the
day, and it is not deleted. What can change afterwards is read only through a time that does not: a ticket is solved when
`solved_at` has passed, a term is over when `ended_on` has come. So a past day computed again is the same day. What vendors
rewrite in place (role and departure of contacts, severity of tickets, segment and CSM) is read from the log of changes, as
far back as the hub has watched it. Two things are today's on every day: which customer a vendor's key means, and the deletion
of records other than contacts.

Missing is not zero. A customer's usage is 0 only where the hub would have seen it: the customer is known to a source that
yields usage, and that source was alive on the day (`sources`). Otherwise it is None, and so it is with tickets and surveys.

`table`     all of them, in one table
`window`    the day, its trailing windows, and the predicate "known by then"
`roster`    who is a customer on the day, with the profile
`sources`   which sources yield what, which are alive, and which customers they know
`billing` `payments` `usage` `features` `support` `feedback` `people` `judgement`    the facts, by what they are made of
`history`   what a field was on the day, where vendors rewrite it
`memory`    use held in memory, for many days in a row
`product`   events of single product features, which are no facts but columns of some churn models
"""

from hub.store.facts.memory import UseInMemory
from hub.store.facts.product import find_product_features, find_product_use
from hub.store.facts.table import find_customers, find_facts, find_terms

__all__ = ["UseInMemory", "find_customers", "find_facts", "find_product_features", "find_product_use", "find_terms"]

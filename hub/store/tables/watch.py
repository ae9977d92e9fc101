"""What the health watch remembers of each customer between two scorings: levels, and what they are about to become.

Moments are microseconds since 1970, in UTC: everybody's are read after every scoring, as columns of numbers.
"""

from sqlalchemy import BigInteger, Column, ForeignKey, String, Table

from hub.store.tables.base import metadata

watch = Table(
    "watch",
    metadata,
    Column("customer_id", ForeignKey("customer.id"), primary_key=True),
    Column("health_level", String(20)),  # "clear" | "warning" | "critical"; NULL: there has been no score for too long
    Column("health_since", BigInteger),  # when it came to count
    # since when health has been on the other side of the limit of warning, and of critical, than the level says
    Column("health_turning_1", BigInteger),
    Column("health_turning_2", BigInteger),
    Column("health_missing", BigInteger),  # since when there has been no score
    Column("churn_level", String(20)),  # "clear" | "medium" | "high"
    Column("churn_since", BigInteger),
    Column("churn_turning_1", BigInteger),
    Column("churn_turning_2", BigInteger),
    Column("churn_missing", BigInteger),
)

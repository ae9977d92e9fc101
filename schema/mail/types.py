"""A line of the suppression list, and a mail that came back."""

from datetime import datetime

import strawberry

from schema.fields import column, key


@strawberry.type(description="An address, or a whole domain as @example.com, that gets no mail.")
class MailSuppression:
    id: strawberry.ID = column()
    address: str = column(personal=True)
    topic: str = column(description="What it gets no mail about; empty for everything.")
    reason: str = column(
        description="unsubscribed, bounced, complained or manual; bounced holds for mail to the team too."
    )
    since: datetime = column()
    by: str = column()
    note: str | None = column(personal=True)


@strawberry.type(description="A mail that came back, or that its reader called spam.")
class MailBounce:
    id: strawberry.ID = column()
    address: str = column(personal=True)
    kind: str = column(description="hard, soft or complaint.")
    status: str | None = column(description="As RFC 3463 has it, such as 5.1.1.")
    reason: str | None = column(personal=True)
    delivery_id: str | None = key("delivery_id", description="The ledger's message, where it was found.")
    told_by: str = column()
    at: datetime = column()

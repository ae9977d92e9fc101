"""The attention budget: fewer messages and alerts, so that people go on reading them; nothing urgent is ever kept back.

`rules`      what config/attention.yaml says
`ranking`    what is at stake: churn risk times a year's revenue
`concerns`   whom a message is for, how severe it is, what it is about
`budget`     `Attention.plan`: what happens to the messages and calls that runs are about to make
`merging`    said already, for the same reason, by another playbook; snoozed by a person
`placing`    working hours, the day's places, and what goes into the digest instead
`digest`     one message a CSM and slot that lists what was held
`snoozing`, `voting`   what people say: not now; of no use

Everything kept back is a row that says why: the delivery ledger for messages, `withheld_call` for alerts and tasks.
"""

from hub.attention.budget import Attention, Made
from hub.attention.concerns import Concern, concern_of
from hub.attention.rules import Rules

__all__ = ["Attention", "Concern", "Made", "Rules", "concern_of"]

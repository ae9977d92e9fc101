"""Renewal: what falls due of whom, what becomes of it by the records and by people's word, and what is expected of it.

`settings`   what config/lifecycle.yaml says      `terms`    which terms fall due together, and which follow them
`rules`      what became of each                  `keeping`  all customers at once, rows and probabilities
`standing`   the lifecycle's columns              `stating`  what people say
"""

from hub.lifecycle.renewal.keeping import keep_renewals
from hub.lifecycle.renewal.settings import RenewalSettings
from hub.lifecycle.renewal.stating import state_renewal, take_back_renewal

__all__ = ["RenewalSettings", "keep_renewals", "state_renewal", "take_back_renewal"]

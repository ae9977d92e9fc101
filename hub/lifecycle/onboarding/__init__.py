"""Onboarding: what a new customer goes through until the product is of value to it, step by step.

    settings   programmes as config/lifecycle.yaml has them: steps, branches, what proves a step, and the thresholds
    programme  … parsed
    walking    one onboarding: whose turn it is, what may be done now, how it keeps pace; arithmetic alone
    moving     any number of them moved on by what the records say
    keeping    after every scoring: begin those of new customers, move the active ones, end who is out of time
    asking     what people ask for: start, complete, skip, cancel

It sends nothing: shipped playbooks (config/playbooks/onboarding_*.yaml) act on the onboarding_* fields of the vocabulary.
How many complete theirs and how soon they get value are figures of hub.analytics.
"""

from hub.lifecycle.onboarding.asking import Done, cancel, complete, find, skip, start
from hub.lifecycle.onboarding.keeping import Kept, keep_onboardings
from hub.lifecycle.onboarding.walking import Journey

__all__ = ["Done", "Journey", "Kept", "cancel", "complete", "find", "keep_onboardings", "skip", "start"]

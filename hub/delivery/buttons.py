"""The buttons that a Slack template may ask for with `buttons: [...]`; hub.slack makes them and knows what they do.

acknowledge   somebody looks after it: its calls are in progress
snooze        not now: for a day, three days or a week
assign        another owner
fire          another playbook for the customer, shown before it is fired
open          the customer's page in the hub
approve, decline   the answer to what the run asks, while it asks
not_useful    it should not have been sent
"""

BUTTONS = ("acknowledge", "snooze", "assign", "fire", "open", "approve", "decline", "not_useful")

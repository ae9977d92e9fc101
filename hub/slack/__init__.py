"""Slack as a place to work: what messages show of their run, buttons and commands, threads, updates in place, App Homes.

`showing`    a run's message as Block Kit: its content, how its calls stand, and buttons
`sending`    the channels of the ledger that post it (into the customer's thread) and update it
`updating`   finds messages that show what is not so any more, and reserves their updates
`inbox`      what people ask for: a row before it is answered, done once
`desk`       does it: who asks, what they may, what comes of it, and the answer to them
`presses`, `firing`, `commands`, `cards`, `home`   … by what they ask

The receiver of Slack's requests is hub.web.slack; hub.compose.slack wires all of it to a hub.
"""

"""A month of time in a minute: the simulated company and its hub live days while the clock is moved from one thing to the next.

`clock`     what time it is, for the hub's process and the sandboxes'
`stepping`  the durable engine's port for it: nothing waits, everything happens at its own moment and in one order
`play`      the days: what the company did is pulled, everybody is scored, people act, schedules tick
`cast`      the people: they press buttons, answer surveys, opt out, over the same HTTP as anybody
`diary`     what is lived already, so that no day is played twice
`account`   what came of it: every message of the ledger against what arrived

The hub is the one that `cshub serve` runs; it is only told another time, and woken by another engine.
"""

"""Backtests: what a definition of health, or a playbook, would have been worth on the past, beside what is live.

report = await run(store, Ask(live=book, tried=other, churn=definition), now=now)
report = await verify(store, book)            whether stored scores come out again, to the last bit
record = await find_record(store, book, …)    how often the live definitions have been right

ask         what is asked
history     the past, a day at a time: from scorecards as they were, or from records as they were known
carrying    what goes from one day to the next
candidates  a book of definitions, or a playbook's rule, replayed day by day
replaying   all candidates over all days, gathered into rows
run         the use case; scoring.backtest is its arithmetic
peeking     whether what is used knows the future
report      what was found, as data and lines
plots       … and as SVG
verifying   the replay of stored scorecards, bit for bit
record      the track record of the live definitions
"""

from hub.backtest.ask import Ask, Every, Rule
from hub.backtest.peeking import PeekingError
from hub.backtest.record import TrackRecord, find_record
from hub.backtest.report import Report
from hub.backtest.run import run
from hub.backtest.verifying import Verified, verify

__all__ = ["Ask", "Every", "PeekingError", "Report", "Rule", "TrackRecord", "Verified", "find_record", "run", "verify"]

"""Scorecards: the facts of a day become health and churn risk, and are stored, one row a customer and day.

    report = await score(store, book, predictors, as_of=day, now=now)      today's, or a past day that is missing
    report = await backfill(store, book, predictors, days=days, now=now)   the past days that are missing

A past day is written once. Today is written anew each time, until it is over; so what playbooks saw of a day that has
passed can always be shown. The band changes of a report are those of that run: against the scorecard that was the newest
before it, whether of today or of an earlier day.

    run      the use case: read, compute, write, one transaction a day
    reading  what a day is computed from: facts, last known readings, overrides, notices
    sheet    everything computed of a day, as columns: health as computed and as in force
    churn    what models say, whom they say nothing of, and the rows that are stored of it
    cards    the sheet as rows to store
    family   roll-ups of parent customers
    report   what a run wrote
"""

from hub.scorecards.churn import ChurnColumns, Predictor
from hub.scorecards.report import BackfillReport, BandChange, ScoreReport
from hub.scorecards.run import backfill, score

__all__ = ["BackfillReport", "BandChange", "ChurnColumns", "Predictor", "ScoreReport", "backfill", "score"]

"""Judgement: what CSMs state of a customer beside what is computed, for how long, and what it was worth afterwards.

    await override(store, "acme", stated, by="ann@cs.example", reason="…", now=now)      a score in the place of health
    await feel(store, "acme", 0.75, by="ann@cs.example", reason="…", now=now)            sentiment, a series of its own
    await take_back(store, "override", "acme", by="ann@cs.example", now=now)
    judged = await judge_statements(store, horizon_days=90, grace_days=30, now=now)      all of it, against what happened

An override stands in the place of the computed score until it expires or is withdrawn, and every run respects it; the
computed score is kept beside it. Sentiment never enters health, unless a definition gives the measure sentiment weight.
Both are records of their own: a new one ends the one before, none is ever changed or deleted.

    scale     what people write (a band, 4, green) as a number 0-1
    stating   stating and withdrawing
    verdicts  what became of those it was stated of
"""

from hub.judgement.scale import band_score, read_score, read_sentiment
from hub.judgement.stating import feel, override, take_back
from hub.judgement.verdicts import Judged, judge_statements

__all__ = [
    "Judged",
    "band_score",
    "feel",
    "judge_statements",
    "override",
    "read_score",
    "read_sentiment",
    "take_back",
]

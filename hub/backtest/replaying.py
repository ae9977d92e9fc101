"""The replay itself: days taken in order, and at the end the rows that everything is judged on."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import numpy.typing as npt

from hub.backtest.ask import Ask, Rule
from hub.backtest.candidates import Candidate, Definitions, Firing, Said
from hub.backtest.carrying import Codes, Integers
from hub.backtest.history import Day
from hub.errors import RefusedError
from scoring.backtest import Ground, Replayed
from scoring.book import HealthBook

LIVE = "live"
NO_SEGMENT = "none"


@dataclass
class Replay:
    """The days taken so far. Of a day no facts are kept, only who was there, what became of them and what was said.

    names  of the candidates, the tried one first
    days   those that had customers; stored: how many of them were read from scorecards
    """

    candidates: dict[str, Candidate]
    days: list[date] = field(default_factory=list)
    stored: int = 0
    _codes: Codes = field(default_factory=Codes)
    _rows: list[tuple[Integers, npt.NDArray[np.bool_], npt.NDArray[np.int8]]] = field(default_factory=list)
    _said: dict[str, list[Said]] = field(default_factory=dict)
    _csms: list[int] = field(default_factory=list)
    _segments: dict[int, str] = field(default_factory=dict)

    @classmethod
    def of(cls, ask: Ask) -> "Replay":
        candidates: dict[str, Candidate] = {}
        if isinstance(ask.tried, HealthBook):
            candidates[ask.name or "tried"] = Definitions(ask.tried)
        elif isinstance(ask.tried, Rule):
            candidates[ask.name or ask.tried.name] = Firing(ask.tried, ask.live)
        if LIVE in candidates:
            raise RefusedError(f"what is tried can't be called {LIVE!r}: that is what it is compared with")
        return cls(candidates | {LIVE: Definitions(ask.live)}, _said={name: [] for name in (*candidates, LIVE)})

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.candidates)

    @property
    def segments(self) -> npt.NDArray[np.str_]:
        """The segment of each customer, by code, on its newest day."""
        return np.array([self._segments[code] for code in range(len(self._codes))], dtype=np.str_)

    @property
    def cautions(self) -> tuple[str, ...]:
        if any(self._csms):
            return ()
        return ("no customer has a CSM: alerts are counted as if one had them all",)

    def take(self, day: Day, outcome: npt.NDArray[np.int8]) -> None:
        """Replay a day, later than those before; `outcome` of its customers, as scoring.backtest.Ground has it."""
        table = day.table
        if not len(table):
            return
        codes = self._codes.of(table.customers)
        for name, candidate in self.candidates.items():
            self._said[name].append(candidate.replay(day, codes))
        self._rows.append((codes, day.at_stake, outcome))
        self.days.append(table.as_of)
        self.stored += day.stored
        self._csms.append(len({email for email in table.texts.get("csm_email", ()) if email}))
        segments = table.texts.get("segment", [None] * len(table))
        self._segments.update(zip(codes.tolist(), (name or NO_SEGMENT for name in segments), strict=True))

    def gathered(
        self, left: npt.NDArray[np.str_], left_on: Integers, *, lead: int
    ) -> tuple[Ground, dict[str, Replayed]]:
        """The ground and what each candidate said of it. left, left_on: every leaving, customer and ordinal."""
        codes = np.concatenate([codes for codes, _, _ in self._rows])
        ordinals = np.repeat([day.toordinal() for day in self.days], [len(codes) for codes, _, _ in self._rows])
        order = np.lexsort((ordinals, codes))
        leavers = self._codes.known(left.tolist())
        within = (leavers >= 0) & (left_on > self.days[0].toordinal())
        span = (self.days[-1] - self.days[0]).days
        ground = Ground(
            customers=len(self._codes),
            customer=codes[order],
            day=ordinals[order].astype(np.int64),
            at_stake=np.concatenate([at_stake for _, at_stake, _ in self._rows])[order],
            outcome=np.concatenate([outcome for _, _, outcome in self._rows])[order],
            left=leavers[within],
            left_on=left_on[within],
            csms=max(float(np.mean(self._csms)), 1.0),
            weeks=max(span / 7, 1.0),
            lead=lead,
        )
        bands = {name: candidate.bands for name, candidate in self.candidates.items()}
        return ground, {name: _replayed(said, order, bands[name]) for name, said in self._said.items()}


def _replayed(said: Sequence[Said], order: Integers, bands: tuple[str, ...]) -> Replayed:
    return Replayed(
        bands=bands,
        score=np.concatenate([each.score for each in said])[order],
        band=np.concatenate([each.band for each in said])[order],
        alarm=np.concatenate([each.alarm for each in said])[order],
        coverage=np.concatenate([each.coverage for each in said])[order],
        fired=np.concatenate([each.fired for each in said])[order],
    )

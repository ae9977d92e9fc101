"""Figures on the basis of renewals due: what the renewal deals that close in a period kept of what was up for renewal.

A deal's target is its `target_amount`; where the CRM keeps none, its amount, which then counts as target and final both,
so that growth at renewal can't be told and the net rate is None.
"""

from collections.abc import Iterator

import numpy as np

from hub.analytics.definitions import Definition
from hub.analytics.frame import Frame
from hub.analytics.shares import Shares, Value, texts


def of_renewals(frame: Frame, definition: Definition) -> Iterator[Value]:
    """A value per currency and group."""
    deals = [row for row in frame.records.renewals if frame.period.first <= row.close_on <= frame.period.last]
    for currency in sorted({row.currency for row in deals}) or [None]:
        rows = [row for row in deals if row.currency == currency]
        target = np.array([row.amount if row.target_amount is None else row.target_amount for row in rows], dtype=float)
        final = np.array([(row.amount or 0.0) if row.stage == "won" else 0.0 for row in rows], dtype=float)
        stated = np.array([row.target_amount is not None for row in rows], dtype=bool)
        undecided = np.array([row.stage == "open" for row in rows], dtype=bool)
        won = np.array([row.stage == "won" for row in rows], dtype=bool)
        kept = np.minimum(final, target)
        shares = Shares(
            ids=texts([row.id for row in rows]),
            customers=texts([row.customer_id for row in rows]),
            numerator=final if definition.name == "nrr" else kept,
            denominator=target,
            notes=texts([f"{row.stage}, {row.close_on}" for row in rows]),
        )
        for group, inside in frame.groups(shares.customers):
            components = {
                "target": target[inside].sum(),
                "final": final[inside].sum(),
                "upsell": (final - kept)[inside].sum(),
                "downsell": (target - kept)[inside & won].sum(),
                "lost": target[inside & ~won & ~undecided].sum(),
                # what is open is expected at its target; what goes beyond the target is upsell and no renewal
                "forecast": (kept + np.where(undecided, target, 0.0))[inside].sum(),
                "still_open": target[inside & undecided].sum(),
                "deals_without_target": (~stated[inside]).sum(),
            }
            reason = None
            if definition.name == "nrr" and inside.any() and not stated[inside].any():
                reason = (
                    "no renewal deal keeps its target apart from its final amount, so growth at renewal is not known"
                )
            yield frame.value(
                definition,
                shares.where(inside),
                group=group,
                currency=currency,
                components={name: float(amount) for name, amount in components.items()},
                reason=reason,
            )

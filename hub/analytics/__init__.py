"""The figures of customer success: retention, churn, lifetime value, survey scores, time to value.

    report = await measure(store, Request(first=Month(2025, 11), last=Month(2026, 10)), now=now)
    for value in report.values: value.definition, value.value, value.reason, value.rows(20)

Two teams with two retention numbers mostly hold two definitions. So a figure never goes without the definition it was
computed by (name, version, basis, formula in words), and can be drilled down to the rows it is made of: a headline is
computed from nothing but the `numerator` and `denominator` of its rows, in the way its definition states.

What is not done, on purpose: amounts of several currencies are not added up and answers on several scales are not
averaged (each currency and each scale is a value of its own; there is no table of exchange rates yet), and where there is
nothing to divide by, or too little to speak of, the value is None and says why.

`definitions`  every figure, versioned              `months`     calendar months and the periods made of them
`shares`       rows and the headline they add up to  `retention`  `feedback` `survival`    the formulas
`request`      what can be asked                     `records` `book` `frame`    what is read, and what a period shares
`measuring`    the use case                          `from_…`     the figures, by the records they are made of
`agreement`    churn by balances against churn by events
"""

from hub.analytics.agreement import Agreement, Difference, agree
from hub.analytics.definitions import DEFINITIONS, Definition
from hub.analytics.measuring import Report, measure
from hub.analytics.months import Month, Period, last_months
from hub.analytics.request import GROUPINGS, Request
from hub.analytics.shares import Row, Value

__all__ = [
    "DEFINITIONS",
    "GROUPINGS",
    "Agreement",
    "Definition",
    "Difference",
    "Month",
    "Period",
    "Report",
    "Request",
    "Row",
    "Value",
    "agree",
    "last_months",
    "measure",
]

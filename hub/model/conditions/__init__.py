"""The one vocabulary for choosing customers: `{field: {operator: value}}`, joined by `all`, `any` and `not`.

    {"all": [{"health": {"lt": 0.5}}, {"not": {"segment": {"eq": "free"}}}, {"created_at": {"within": "last 30 days"}}]}

The same thing is a playbook's `when:`, the GraphQL customer filter, a saved segment and the command line's `--where`. `parse`
turns it into frozen dataclasses and reports everything wrong at once; `hub.store.conditions` compiles those to SQL,
`matches` decides them in Python, and both say the same:

- A comparison with a missing value is false, whatever the operator; `not` of it is then true. `exists` asks for it.
- Texts compare exactly; `contains` and `starts_with` take every letter in either case.
- `between: [low, high]` takes in both ends. Days are days of UTC: a moment lies on its day.
- Several operators on one field, or several fields in one mapping, must all hold.

    numbers  eq ne lt lte gt gte between in not_in exists
    texts    eq ne contains starts_with in not_in exists
    dates    eq ne lt lte gt gte before after between within in not_in exists; before is lt, after is gt
    search   {search: acme co}: every word begins a word of the customer's name or domain
    segments {in_segment: big-and-unhappy}: whoever the saved segment of that name chooses

What a date is compared with may be relative to the day it is asked on: see `days`. `expand` puts a saved segment's own
condition in its place, and `on_day` settles what is relative; SQL is made of what has neither.

`rises_by` and `falls_by` compare a number with what it was before, and `changes: true` says that a text is not what it was, or
is there now and was not, or the other way round; they exist only where there is a before (a playbook's `unless:`), and
nowhere else.
"""

from hub.model.conditions.days import Day, Span, parse_day, parse_span
from hub.model.conditions.matching import matches
from hub.model.conditions.parsing import parse
from hub.model.conditions.settling import expand, is_relative, on_day, segments_of, size
from hub.model.conditions.terms import (
    CHANGES,
    FLAGS,
    IN_SEGMENT,
    LISTS,
    OPERATORS,
    SEARCH,
    All,
    Any,
    Condition,
    ConditionError,
    Field,
    Key,
    Kind,
    Not,
    Operator,
    Problem,
    Scalar,
    Test,
    Value,
    Values,
    fields_of,
)
from hub.model.conditions.texts import fold, is_within, words

__all__ = [
    "CHANGES",
    "FLAGS",
    "IN_SEGMENT",
    "LISTS",
    "OPERATORS",
    "SEARCH",
    "All",
    "Any",
    "Condition",
    "ConditionError",
    "Day",
    "Field",
    "Key",
    "Kind",
    "Not",
    "Operator",
    "Problem",
    "Scalar",
    "Span",
    "Test",
    "Value",
    "Values",
    "expand",
    "fields_of",
    "fold",
    "is_relative",
    "is_within",
    "matches",
    "on_day",
    "parse",
    "parse_day",
    "parse_span",
    "segments_of",
    "size",
    "words",
]

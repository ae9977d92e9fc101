"""A flat data set: one row a customer, a column that says who left, judged by cross-validation.

Numbers stay as they are, dates become days, texts of few kinds become one column a kind, anything else is left out and named.
Nothing is known about the columns, so none has a sign. Every row is predicted by a model, calibrated as always, that has
not seen it; the gate is the pipeline's.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.model_selection import StratifiedKFold

from hub.errors import NotFoundError, RefusedError
from scoring.churn_definition import ChurnDefinition
from scoring.datasets.tables import NO_DAY, Table, Texts
from scoring.datasets.verdict import Verdict, choose, judge
from scoring.evaluation import Flags
from scoring.facts import Floats
from scoring.fitting import fit
from scoring.learner import FOLDS, Rows

SEED = 0
MOST_KINDS = 20  # of a text column, the commonest; a rarer one is none of them
FEWEST_ROWS = 10  # with a kind before it is one
YES = frozenset({"1", "yes", "y", "true", "t", "churn", "churned", "left", "exited", "attrited customer", "lost"})


@dataclass(frozen=True, slots=True)
class Flat:
    """rows: to learn from; positive: the value that means who left; left_out: {column: why}; unlabelled: rows without one."""

    rows: Rows
    positive: str
    left_out: dict[str, str]
    unlabelled: int


def prepare(table: Table, *, target: str, positive: str | None = None, drop: Collection[str] = ()) -> Flat:
    """The rows of `table`; NotFoundError and RefusedError name the columns and values there are."""
    for name in drop:
        table.column(name)
    texts = table.texts(target)
    labelled = texts != ""
    meant = _positive(table, target, texts[labelled], positive)
    columns: dict[str, Floats] = {}
    left_out: dict[str, str] = {}
    for name in table.columns:
        if name == target or name in drop:
            continue
        found = columns_of(table, name, known=labelled)
        if isinstance(found, str):
            left_out[name] = found
        columns |= found if isinstance(found, dict) else {}
    if not columns:
        raise RefusedError(f"{table.name} has no column to learn from beside {target!r}")
    n = int(labelled.sum())
    matrix = np.column_stack(list(columns.values())).astype(np.float32)[labelled]
    matrix[np.isinf(matrix)] = np.nan  # numbers beyond what float32 holds
    rows = Rows(
        names=safe_names(columns),
        signs=[0] * len(columns),
        matrix=matrix,
        labels=texts[labelled] == meant,
        customers=np.arange(n),
        days=np.ones(n, dtype=np.int64),
        ends=np.ones(n, dtype=np.int64),
    )
    return Flat(rows, meant, left_out, len(table) - n)


def cross_validate(flat: Flat, definition: ChurnDefinition) -> Verdict:
    """Five stratified folds; RefusedError where fewer than five rows of a kind are there to divide."""
    rows = flat.rows
    fewest = int(min(rows.labels.sum(), (~rows.labels).sum()))
    if fewest < FOLDS:
        raise RefusedError(f"{fewest} rows of one kind are too few to judge by {FOLDS} folds")
    learner = choose(rows)
    probability = np.empty(len(rows))
    folds = StratifiedKFold(n_splits=FOLDS, shuffle=True, random_state=SEED)
    for learned, held in folds.split(rows.matrix, rows.labels):
        mask = np.zeros(len(rows), dtype=np.bool_)
        mask[learned] = True
        if learner is None:
            probability[held] = rows.labels[mask].mean()
        else:
            probability[held] = fit(rows.where(mask), learner).probability(rows.matrix[held])
    return judge(
        rows.labels,
        probability,
        customers=rows.customers,
        days=rows.days,
        ends=rows.ends,
        split=f"{FOLDS}-fold cross-validation",
        learner=learner,
        churned=rows.churned,
        features=len(rows.names),
        gate=definition.gate,
    )


def columns_of(table: Table, name: str, *, known: Flags) -> dict[str, Floats] | str:
    """One column of the file as columns of numbers, or why it is left out; kinds of texts are counted where `known`."""
    numbers = table.numbers_or_none(name)
    if numbers is not None:
        return {name: numbers} if np.unique(numbers[~np.isnan(numbers)]).size > 1 else "all alike"
    texts = table.texts(name)
    kinds, counts = np.unique(texts[known & (texts != "")], return_counts=True)
    if len(kinds) > MOST_KINDS and (days := table.days_or_none(name)) is not None:
        return {name: np.where(days == NO_DAY, np.nan, days.astype(np.float64))}
    if len(kinds) > counts.sum() / 2:
        return "a different text nearly everywhere, like an id"
    if len(kinds) < 2:
        return "all alike"
    if len(kinds) == 2:
        return {f"{name}={kinds[1]}": np.where(texts == "", np.nan, texts == kinds[1])}
    order = np.argsort(-counts, kind="stable")[:MOST_KINDS]
    chosen = sorted(kinds[order][counts[order] >= FEWEST_ROWS].tolist())
    if not chosen:
        return f"none of its {len(kinds)} kinds is in {FEWEST_ROWS} rows"
    return {f"{name}={kind}": (texts == kind).astype(np.float64) for kind in chosen}


def _positive(table: Table, target: str, texts: Texts, given: str | None) -> str:
    values, counts = np.unique(texts, return_counts=True)
    shown = ", ".join(
        f"{value!r} ({count} rows)" for value, count in zip(values[:12].tolist(), counts[:12], strict=True)
    )
    if len(values) < 2:
        raise RefusedError(f"{table.name}: column {target!r} says the same of every row: {shown or 'nothing'}")
    if given is not None:
        if given not in values:
            raise NotFoundError(f"{table.name}: column {target!r} never is {given!r}; it holds {shown}")
        return given
    meant = [value for value in values.tolist() if value.lower() in YES]
    if len(values) != 2 or len(meant) != 1:
        raise RefusedError(
            f"{table.name}: which value of {target!r} means that a customer left? Name it with --positive; it holds {shown}"
        )
    return str(meant[0])


def safe_names(names: Collection[str]) -> Sequence[str]:
    """XGBoost takes no brackets and no < in the names of columns; names stay distinct."""
    made = [name.translate(str.maketrans("[]<", "()_")) for name in names]
    return made if len(set(made)) == len(made) else [f"{place} {name}" for place, name in enumerate(made)]

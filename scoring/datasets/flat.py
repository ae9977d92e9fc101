"""A flat data set: one row a customer, a column that says who left, judged by cross-validation.

Numbers stay as they are, dates become days, texts of few kinds become one column a kind, anything else is left out and named:
ids too, be they numbers, for files are often in an order that gives away who left. Nothing is known about the columns, so none
has a sign. Every row is predicted by a model, calibrated as always, that has not seen it; the gate is the pipeline's. Where too
few left, or stayed, to learn from, everybody gets the rate of all, and the gate is closed.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.model_selection import StratifiedKFold

from hub.errors import NotFoundError, RefusedError
from scoring.churn_definition import ChurnDefinition
from scoring.datasets.suspicion import suspicions
from scoring.datasets.tables import NO_DAY, Table, Texts
from scoring.datasets.verdict import Verdict, choose, judge
from scoring.evaluation import Flags
from scoring.facts import Floats
from scoring.fitting import fit
from scoring.learner import FOLDS, Rows

SEED = 0
MOST_KINDS = 20  # of a text column, the commonest; a rarer one is none of them
FEWEST_ROWS = 10  # with a kind before it is one
MOSTLY = 0.95  # of the filled cells that are numbers make a column of numbers
MOSTLY_DISTINCT = 0.98
FEWEST_IDS = 20  # rows, before numbers that all differ can be told from ids
ID = re.compile(r"(?:^|_)(?:id|key|no|nr|row|pk)$|(?:uuid|guid|num|number|index)$|^(?:id|unnamed)_")
YES = frozenset(
    {
        "1",
        "yes",
        "ja",
        "oui",
        "si",
        "sim",
        "y",
        "true",
        "t",
        "churn",
        "churned",
        "churner",
        "left",
        "exited",
        "lost",
        "attrited",
    }
    | {"attrited customer", "canceled", "cancelled"}
)


@dataclass(frozen=True, slots=True)
class Flat:
    """rows: to learn from; positive: the value that means who left; left_out: {column: why}; unlabelled: rows without one;
    suspicious: {column: why it may have been filled in afterwards}."""

    rows: Rows
    positive: str
    left_out: dict[str, str]
    unlabelled: int
    suspicious: dict[str, str]


def prepare(table: Table, *, target: str, positive: str | None = None, drop: Collection[str] = ()) -> Flat:
    """The rows of `table`; NotFoundError and RefusedError name the columns and values there are."""
    for name in drop:
        table.column(name)
    texts = table.texts(target)
    labelled = texts != ""
    meant = _positive(table, target, texts[labelled], positive)
    labels = texts[labelled] == meant
    columns: dict[str, Floats] = {}
    made: dict[str, list[str]] = {}
    left_out: dict[str, str] = {}
    for name in table.columns:
        if name == target or name in drop:
            continue
        found = columns_of(table, name, known=labelled)
        if isinstance(found, str):
            left_out[name] = found
            continue
        columns |= found
        made[name] = list(found)
    if not columns:
        raise RefusedError(f"{table.name} has no column to learn from beside {target!r}")
    n = int(labelled.sum())
    matrix = np.column_stack(list(columns.values())).astype(np.float32)[labelled]
    matrix[np.isinf(matrix)] = np.nan  # numbers beyond what float32 holds
    rows = Rows(
        names=safe_names(columns),
        signs=[0] * len(columns),
        matrix=matrix,
        labels=labels,
        customers=np.arange(n),
        days=np.ones(n, dtype=np.int64),
        ends=np.ones(n, dtype=np.int64),
    )
    places = {name: place for place, name in enumerate(columns)}
    told = {
        name: [table.texts(name)[labelled] != "", *(matrix[:, places[one]] for one in ones)]
        for name, ones in made.items()
    }
    return Flat(rows, meant, left_out, len(table) - n, suspicions(told, labels))


def cross_validate(flat: Flat, definition: ChurnDefinition) -> Verdict:
    """Five stratified folds. Where nothing can be learned, the rate of all, for everybody alike: rates of the other folds
    would be higher where the fold has fewer who left, and rank the rows the wrong way round."""
    rows = flat.rows
    learner = choose(rows)
    probability = np.full(len(rows), rows.labels.mean())
    if learner is not None:
        folds = StratifiedKFold(n_splits=FOLDS, shuffle=True, random_state=SEED)
        for learned, held in folds.split(rows.matrix, rows.labels):
            mask = np.zeros(len(rows), dtype=np.bool_)
            mask[learned] = True
            probability[held] = fit(rows.where(mask), learner).probability(rows.matrix[held])
    return judge(
        rows.labels,
        probability,
        customers=rows.customers,
        days=rows.days,
        ends=rows.ends,
        split=f"{FOLDS}-fold cross-validation",
        learner=learner,
        learned=rows,
        features=len(rows.names),
        gate=definition.gate,
    )


def columns_of(table: Table, name: str, *, known: Flags) -> dict[str, Floats] | str:
    """One column of the file as columns of numbers, or why it is left out; kinds of texts are counted where `known`."""
    numbers = table.numbers_or_none(name)
    texts = table.texts(name)
    kinds, counts = np.unique(texts[known & (texts != "")], return_counts=True)
    if numbers is None and len(kinds) > MOST_KINDS:
        numbers = table.numbers_or_none(name, share=MOSTLY)
    if numbers is not None:
        if _are_ids(name, numbers):
            return "a different number nearly everywhere, like an id"
        return {name: numbers} if np.unique(numbers[~np.isnan(numbers)]).size > 1 else "all alike"
    if len(kinds) > MOST_KINDS and (days := table.days_or_none(name, in_doubt=True)) is not None:
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


def _are_ids(name: str, numbers: Floats) -> bool:
    """Whole numbers that hardly ever come twice, and are called like an id or count the rows of the file."""
    if len(numbers) < FEWEST_IDS or np.isnan(numbers).any() or (numbers % 1 != 0).any():
        return False
    if (np.diff(numbers) == 1).all():
        return True
    words = re.sub(r"[^a-z0-9]+", "_", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower())
    return bool(ID.search(words)) and np.unique(numbers).size >= MOSTLY_DISTINCT * len(numbers)


def _positive(table: Table, target: str, texts: Texts, given: str | None) -> str:
    values, counts = np.unique(texts, return_counts=True)
    shown = ", ".join(
        f"{value!r} ({count} rows)" for value, count in zip(values[:12].tolist(), counts[:12], strict=True)
    )
    if len(values) < 2:
        raise RefusedError(f"{table.name}: column {target!r} says the same of every row: {shown or 'nothing'}")
    if given is not None:
        meant = [value for value in values.tolist() if given in (value, _plain(value))]
        if not meant:
            raise NotFoundError(f"{table.name}: column {target!r} never is {given!r}; it holds {shown}")
        return str(meant[0])
    meant = [value for value in values.tolist() if _plain(value).lower().rstrip(".") in YES]
    if len(values) != 2 or len(meant) != 1:
        raise RefusedError(
            f"{table.name}: which value of {target!r} means that a customer left? Name it with --positive; it holds {shown}"
        )
    return str(meant[0])


def _plain(value: str) -> str:
    """1.0000 is 1."""
    whole, dot, zeros = value.partition(".")
    return whole if dot and zeros and not zeros.strip("0") else value


def safe_names(names: Collection[str]) -> Sequence[str]:
    """XGBoost takes no brackets and no < in the names of columns; names stay distinct."""
    made = [name.translate(str.maketrans("[]<", "()_")) for name in names]
    return made if len(set(made)) == len(made) else [f"{place} {name}" for place, name in enumerate(made)]

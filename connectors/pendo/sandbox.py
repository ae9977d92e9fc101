"""Pendo's stand-in: the aggregation endpoint for the pipelines a source posts, and the lists of guides and features.

    POST /api/v1/aggregation            source, filter, group, select, sort, limit, in the order they stand in
    GET  /api/v1/{feature,tracktype,guide}

Accounts "acct-<number>", visitors "u-<person number>". A dayRange begins with the subscription's day, whatever was asked; an
hourRange with the hour. With `nobodys`, one event in so many belongs to no account. A `limit` is all that bounds an answer.
The key is a header.
"""

import ast
import hmac
import operator
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any
from zlib import crc32
from zoneinfo import ZoneInfo

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.kit.sandbox import Faults, assemble
from connectors.kit.simulated import World, crm_id
from connectors.kit.truth import usage_days

HOUR = 3_600_000
TRACKED = "export_made"  # the one event that is a track event and no feature
GUIDE, SCORE, REASON = "guide-nps", "poll-score", "poll-reason"
Row = dict[str, Any]
COMPARE: Mapping[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Gt: operator.gt, ast.GtE: operator.ge, ast.Lt: operator.lt, ast.LtE: operator.le, ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}  # fmt: skip


def app(
    world: Callable[[], World], *, token: str, faults: Faults, timezone: str = "America/New_York", nobodys: int = 0
) -> Starlette:
    """`timezone`: the subscription's."""

    def guarded(answer: Callable[[Request, bytes], Any]) -> Callable[[Request], Any]:
        async def checked(request: Request) -> Response:
            key = request.headers.get("x-pendo-integration-key", "")
            if not hmac.compare_digest(key.encode(), token.encode()):
                return _expired(faults)
            return JSONResponse(answer(request, await request.body()))

        return checked

    def aggregate(_request: Request, body: bytes) -> Any:
        steps = orjson.loads(body)["request"]["pipeline"]
        rows = list(_source(world(), steps[0]["source"], ZoneInfo(timezone), nobodys))
        for step in steps[1:]:
            ((kind, what),) = step.items()
            rows = STEPS[kind](rows, what)
        if len(rows) > 1 and faults.take("duplicate_rows"):
            rows = [*rows[:-1], rows[-2]] if steps[-1].get("limit") == len(rows) else [*rows, rows[-1]]
        return {"results": rows, "startTime": 0}

    def named(kind: str) -> Callable[[Request, bytes], Any]:
        def listed(_request: Request, _body: bytes) -> Any:
            names = sorted({event.name for event in world().events})
            chosen = [name for name in names if (name == TRACKED) == (kind == "track")]
            return [{"id": f"{kind}-{name}", "name": name, "kind": kind} for name in chosen]

        return listed

    def guides(_request: Request, _body: bytes) -> Any:
        polls = [
            {"id": SCORE, "attributes": {"type": "NPSRating"}},
            {"id": REASON, "attributes": {"type": "NPSReason"}},
        ]
        return [
            {"id": "guide-welcome", "name": "Welcome", "polls": []},
            {"id": GUIDE, "name": "NPS", "polls": polls},
        ]

    routes = [
        Route("/api/v1/aggregation", guarded(aggregate), methods=["POST"]),
        Route("/api/v1/feature", guarded(named("feature"))),
        Route("/api/v1/tracktype", guarded(named("track"))),
        Route("/api/v1/guide", guarded(guides)),
    ]
    return assemble(routes, faults=faults, limited=_limited, expired=_expired)


def settings(base_url: str, *, token: str) -> dict[str, Any]:
    return {"base_url": base_url, "integration_key": token, "page_size": 5, "window_days": 90, "history_days": 540}


def truth(world: World) -> Mapping[str, Collection[str]]:
    first = world.until.date() - timedelta(days=540)
    known = [event for event in world.events if event.at.date() >= first]
    return {
        "accounts": [f"acct-{account.number}" for account in world.accounts],
        "visitors": [f"u-{person.number}" for person in world.people],
        "usage": usage_days(known),
        "nps": [
            f"{SCORE}|{blake2b(f'u-{each.person}'.encode(), digest_size=8).hexdigest()}|{_ms(each.at)}"
            for each in world.nps
        ],
    }


def _source(world: World, source: Mapping[str, Any], zone: ZoneInfo, nobodys: int) -> Iterable[Row]:
    if "accounts" in source:
        return [
            {
                "accountId": f"acct-{account.number}",
                "metadata": {
                    "auto": {"id": f"acct-{account.number}", "lastupdatedat": _ms(account.updated_at)},
                    "agent": {"name": account.name, "domain": account.domain, "crm_id": crm_id(account.number)},
                },
            }
            for account in world.accounts
        ]
    if "visitors" in source:
        return [
            {
                "visitorId": f"u-{person.number}",
                "metadata": {
                    "auto": {
                        "accountid": f"acct-{person.account}",
                        "accountids": [f"acct-{person.account}"],
                        "firstvisit": _ms(person.created_at),
                        "lastupdatedat": _ms(person.updated_at),
                    },
                    "agent": {"email": person.email, "full_name": person.name, "role": person.role},
                },
            }
            for person in world.people
        ]
    series = source["timeSeries"]
    begin, unit = series["first"] // HOUR * HOUR, HOUR
    if series["period"] == "dayRange":
        local = datetime.fromtimestamp(begin / 1000, UTC).astimezone(zone)
        begin, unit = _ms(local.replace(hour=0, minute=0, second=0, microsecond=0)), 24 * HOUR
    end = begin + series["count"] * unit
    if "pollEvents" in source:
        return list(_answers(world, source["pollEvents"], begin, end))
    return list(_events(world, next(name for name in source if name != "timeSeries"), begin, end, nobodys))


def _events(world: World, kind: str, begin: int, end: int, nobodys: int) -> Iterable[Row]:
    for event in world.events:
        at = _ms(event.at)
        if not begin <= at < end or ((kind == "trackEvents") != (event.name == TRACKED) and kind != "events"):
            continue
        yield {
            "visitorId": f"u-{event.person}",
            "accountId": "" if nobodys and crc32(event.insert_id.encode()) % nobodys == 0 else f"acct-{event.account}",
            "hour": at // HOUR * HOUR,
            "numEvents": 1,
            "numMinutes": 1,
            "featureId": f"feature-{event.name}",
            "trackTypeId": f"track-{event.name}",
        }


def _answers(world: World, of: Mapping[str, str], begin: int, end: int) -> Iterable[Row]:
    for answer in world.nps:
        at = _ms(answer.at)
        said: Any = answer.score if of["pollId"] == SCORE else answer.comment
        when = at if of["pollId"] == SCORE else at + 20_000
        if begin <= at < end and of["guideId"] == GUIDE and said != "":
            yield {
                "visitorId": f"u-{answer.person}",
                "accountId": f"acct-{answer.account}",
                "browserTime": when,
                "guideId": of["guideId"],
                "pollId": of["pollId"],
                "pollResponse": said,
            }


def _group(rows: list[Row], what: Mapping[str, Any]) -> list[Row]:
    made: dict[tuple[Any, ...], Row] = {}
    for row in rows:
        key = tuple(row[name] for name in what["group"])
        held = made.setdefault(key, {**dict(zip(what["group"], key, strict=True)), **dict.fromkeys(what["fields"], 0)})
        for name, how in what["fields"].items():
            held[name] += row[how["sum"]]
    return list(made.values())


def _filter(rows: list[Row], text: str) -> list[Row]:
    tree = ast.parse(text.replace("&&", " and ").replace("||", " or "), mode="eval").body
    return [row for row in rows if _holds(tree, row)]


def _holds(tree: ast.expr, row: Row) -> Any:
    """A filter's value for a row; it knows fields, texts, numbers, comparisons, && and ||."""
    if isinstance(tree, ast.BoolOp):
        return (all if isinstance(tree.op, ast.And) else any)(_holds(each, row) for each in tree.values)
    if isinstance(tree, ast.Compare):
        one, other = _holds(tree.left, row), _holds(tree.comparators[0], row)
        return one is not None and other is not None and COMPARE[type(tree.ops[0])](one, other)
    if isinstance(tree, ast.Attribute):
        found = _holds(tree.value, row)
        return found.get(tree.attr) if isinstance(found, dict) else None
    if isinstance(tree, ast.Name):
        return row.get(tree.id)
    assert isinstance(tree, ast.Constant)
    return tree.value


def _select(rows: list[Row], what: Mapping[str, str]) -> list[Row]:
    trees = {name: ast.parse(path, mode="eval").body for name, path in what.items()}
    return [{name: _holds(tree, row) for name, tree in trees.items()} for row in rows]


STEPS: Mapping[str, Callable[[list[Row], Any], list[Row]]] = {
    "filter": _filter,
    "group": _group,
    "select": _select,
    "sort": lambda rows, names: sorted(rows, key=lambda row: [row[name] for name in names]),
    "limit": lambda rows, most: rows[:most],
}


def _ms(when: datetime) -> int:
    return round(when.timestamp() * 1000)


def _limited(faults: Faults) -> Response:
    return JSONResponse({"message": "Too many requests"}, 429, {"Retry-After": str(faults.retry_after)})


def _expired(faults: Faults) -> Response:
    return JSONResponse({"message": "Invalid integration key"}, 401)

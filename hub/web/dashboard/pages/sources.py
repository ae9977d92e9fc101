"""Sources: whether what the hub knows of each vendor is whole and fresh, the least trustworthy first.

What is missing is said in words and first of all: a source is "whole" only when nothing at all speaks against it, and where
nobody has compared it with its vendor yet, that is said too.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from hub.model.actions import Role, Scope
from hub.web.dashboard.page import Data, Page, Visit
from hub.web.dashboard.words import counted

TONES = ("bad", "warn", "info", "good", "plain")
"""The worst first."""
RUN_TONES: Mapping[str, str] = {
    "RUNNING": "info",
    "SUCCEEDED": "good",
    "INCOMPLETE": "bad",
    "PAUSED": "warn",
    "FAILED": "bad",
    "INTERRUPTED": "bad",
}
LATE = 15 * 60
"""Seconds behind its schedule that are nothing to speak of."""
_ENDED = {"done", "running"}
_WORDS: Mapping[str, str] = {"bad": "Incomplete", "warn": "Needs a look", "info": "Syncing", "good": "Whole"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What speaks against a source, or is to be known of it. tone: bad, warn or info."""

    tone: str
    words: str
    href: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a source stands.

    complete_to  up to when every change of every stream was pulled; None where one never was
    compared     streams that were compared with the vendor, of `streams`
    share        of the vendor's rows that are here, of all streams that were compared: 0 to 1
    """

    tone: str
    word: str
    faults: Sequence[Fault]
    streams: int
    compared: int
    complete_to: str | None
    share: float | None
    missing: int
    theirs: int


def standing(source: Data, now: datetime) -> Standing:
    """Of a source as the API tells it."""
    faults = sorted(_faults(source, now), key=lambda each: TONES.index(each.tone))
    streams = source["streams"]
    compared = [each for each in streams if each["theirs"] is not None and each["completeness"] is not None]
    theirs = sum(each["theirs"] for each in compared)
    here = sum(each["theirs"] * each["completeness"] for each in compared)
    ends = [each["completeTo"] for each in streams]
    tone = faults[0].tone if faults else "good"
    word = _WORDS[tone]
    if not source["configured"]:
        tone, word = "plain", "Not configured any more"
    elif source["lastSucceededAt"] is None and not source["syncing"]:
        tone, word = "bad", "Never pulled whole"
    elif source["syncing"] and tone != "bad":
        tone, word = "info", "Syncing"
    elif tone == "info":
        tone, word = "good", "Whole"
    return Standing(
        tone=tone,
        word=word,
        faults=faults,
        streams=len(streams),
        compared=len(compared),
        complete_to=min(ends) if ends and None not in ends else None,
        share=here / theirs if theirs else (1.0 if compared else None),
        missing=sum(each["missing"] or 0 for each in compared),
        theirs=theirs,
    )


def _faults(source: Data, now: datetime) -> Iterator[Fault]:
    if not source["configured"]:
        yield Fault(tone="info", words="Taken out of the configuration: its records are kept, and nothing new comes.")
        return
    yield from _of_last_run(source)
    if source["lastSucceededAt"] is None:
        yield Fault(tone="bad", words="No sync has ever ended with everything: scores do not count on it.")
    paused = source["pausedUntil"]
    if paused and datetime.fromisoformat(paused) > now:
        until = datetime.fromisoformat(paused).astimezone(UTC)
        yield Fault(
            tone="warn", words=f"Its quota is used up: it waits until {until:%d %b %H:%M} UTC, and goes on there."
        )
    if not source["enabled"]:
        yield Fault(tone="warn", words="Switched off: it is synced by hand only.")
    elif (source["lateSeconds"] or 0) > LATE:
        yield Fault(tone="warn", words=f"Late: its schedule wanted a sync {span(source['lateSeconds'])} ago.")
    for each in source["streams"]:
        yield from _of_stream(each, source)
    if source["failedEvents"]:
        events = counted(source["failedEvents"], "event")
        yield Fault(tone="warn", words=f"{events} told by webhook could not be fetched: the next sync brings them.")
    here = f"/sources/{source['name']}"
    if source["quarantineCount"]:
        rows = counted(source["quarantineCount"], "row")
        yield Fault(tone="warn", words=f"{rows} in quarantine: no records came of them.", href=f"{here}#quarantine")
    if source["unmatchedCompanies"]:
        companies = counted(source["unmatchedCompanies"], "company", "companies")
        its = "its" if source["unmatchedCompanies"] == 1 else "their"
        words = f"{companies} without a customer: {its} records count for nobody until somebody decides."
        yield Fault(tone="warn", words=words, href=f"/sources/matches?source={source['name']}")


def _of_last_run(source: Data) -> Iterator[Fault]:
    run = source["lastRun"]
    if run is None or run["state"] in {"RUNNING", "SUCCEEDED", "PAUSED"}:
        return
    short = [each for each in run["streams"] if each["state"] not in _ENDED]
    for each in short:
        why = f": {each['error']}" if each["error"] else ""
        yield Fault(tone="bad", words=f"The last sync did not end with {each['stream']} ({each['state']}){why}")
    if not short:
        words = {"FAILED": "The last sync failed", "INTERRUPTED": "The last sync was interrupted"}
        why = f": {run['error']}" if run["error"] else "."
        yield Fault(tone="bad", words=words.get(run["state"], "The last sync did not bring everything") + why)


def _of_stream(stream: Data, source: Data) -> Iterator[Fault]:
    name, most, least = stream["stream"], source["freshSeconds"], source["completeShare"]
    if stream["completeTo"] is None:
        yield Fault(tone="bad", words=f"{name} was never pulled to its end.")
    elif most is not None and stream["freshSeconds"] > most:
        yield Fault(
            tone="bad",
            words=f"{name} is complete only up to {span(stream['freshSeconds'])} ago; {span(most)} are allowed.",
        )
    if (share := stream["completeness"]) is not None and share < 1:
        gone = counted(stream["missing"] or 0, "row")
        limit = f", below the {least:.0%} that scores need" if least is not None and share < least else ""
        yield Fault(
            tone="bad" if limit else "warn",
            words=f"{name} holds {_floor(share)} of what its vendor lists ({gone} missing when compared){limit}.",
        )
    if stream["held"]:
        rows = counted(stream["held"], "row")
        yield Fault(tone="warn", words=f"{name}: {rows} are gone at the vendor, too many to delete without your word.")
    elif stream["checkError"]:
        yield Fault(tone="warn", words=f"{name} could not be compared: {stream['checkError']}")


def _floor(share: float) -> str:
    """Never 100 % of what is not whole."""
    return f"{int(share * 1000) / 10:.1f} %"


def span(seconds: float) -> str:
    """A length of time in its largest unit: 3 hours."""
    for length, name in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= length:
            return counted(int(seconds // length), name)
    return counted(int(seconds), "second")


def progress(run: Data | None) -> Sequence[Data]:
    """Streams of a sync that runs: rows so far, and the share of the vendor's own count, where it tells one."""
    if run is None:
        return []
    return [
        {
            "stream": each["stream"],
            "state": each["state"] or "waiting",
            "pulled": each["pulled"] or 0,
            "total": each["total"],
            "share": min((each["pulled"] or 0) / each["total"], 1.0) if each["total"] else None,
        }
        for each in run["streams"]
    ]


def quotas(source: Data) -> Sequence[Data]:
    """Limits of the vendor, each with the share that was left; one that was renewed since is whole again."""
    return [{**each, "share": each["remaining"] / each["limit"] if each["limit"] else None} for each in source["quota"]]


def runs(found: Sequence[Data]) -> Sequence[Data]:
    """Syncs with their tone, and how long each took, in seconds."""
    return [{**each, "tone": RUN_TONES[each["state"]], "took": _took(each)} for each in found]


def _took(run: Data) -> str | None:
    if run["finishedAt"] is None:
        return None
    seconds = (datetime.fromisoformat(run["finishedAt"]) - datetime.fromisoformat(run["startedAt"])).total_seconds()
    return f"{seconds:.1f} s" if seconds < 60 else span(seconds)


def _shape(data: Data, visit: Visit) -> Data:
    sources = [
        {**each, "stands": standing(each, visit.now), "progress": progress(each["lastRun"])} for each in data["sources"]
    ]
    order: dict[str, int] = {tone: place for place, tone in enumerate(TONES)}
    sources.sort(key=lambda each: (order[each["stands"].tone], each["name"]))
    live = [each for each in sources if each["configured"]]
    tones = [each["stands"].tone for each in live]
    return {
        "sources": [{**each, "quotas": quotas(each)} for each in sources],
        "runs": runs(data["syncRuns"]["nodes"]),
        "incomplete": [each for each in live if each["stands"].tone == "bad"],
        "doubtful": tones.count("warn"),
        "whole": tones.count("good") + tones.count("info"),
        "live": len(live),
        "undecided": data["ambiguous"]["totalCount"] + data["unmatched"]["totalCount"],
        "may_sync": may_care(visit),
    }


def may_care(visit: Visit) -> bool:
    """Whether the viewer may sync, compare and retry."""
    return visit.viewer.may(Role.ADMIN) and Scope.ACT in visit.viewer.scopes


def personal(visit: Visit) -> dict[str, Any]:
    """The variable for fields of personal data: asked only for who may see them."""
    return {"personal": Scope.PERSONAL in visit.viewer.scopes}


PAGE = Page(name="sources", path="/sources", title="Sources", nav="sources", shape=_shape)

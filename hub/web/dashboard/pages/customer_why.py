"""Why a score is what it is, for people: measures by group, what each has of what it could have, and what it was read from."""

from collections.abc import Mapping, Sequence
from typing import Any

from hub.web.dashboard.page import Data

MEASURES: Mapping[str, str] = {
    "dau": "Daily active users",
    "wau": "Weekly active users",
    "mau": "Monthly active users",
    "nps": "NPS",
    "csat": "CSAT",
}
"""Names that are no words."""
SMALL = 0.005
"""A change that is no point of 100."""
TONES = ((0.3, "bad"), (0.5, "warn"), (0.7, "info"))


def measure(name: str) -> str:
    return MEASURES.get(name) or name.replace("_", " ").capitalize()


def tone(value: float | None) -> str:
    """Of a reading: bad below 0.3, warn below 0.5, info below 0.7, good."""
    if value is None:
        return "plain"
    return next((tone for below, tone in TONES if value < below), "good")


def why(explanation: Data, facts: Mapping[str, Data]) -> dict[str, Any]:
    """Groups, those that cost the most first; what is left out for want of data; what is seen but has no weight."""
    parts = [_part(each, facts) for each in explanation["parts"]]
    counted = [each for each in parts if each["weight"] > 0]
    costly = sorted(counted, key=lambda each: -each["lost"])
    names = dict.fromkeys(each["group"] for each in costly)
    groups = [_group(name, [each for each in costly if each["group"] == name]) for name in names]
    return {
        "groups": sorted(groups, key=lambda each: -each["lost"]),
        "most": max((each["weight"] for each in counted), default=1.0),
        "costly": [each for each in costly if each["lost"] >= 0.02][:3],
        "missing": [each for each in parts if each["missing"] and each["weight"] == 0],
        "seen": [each for each in parts if not each["missing"] and each["weight"] == 0],
    }


def _part(part: Data, facts: Mapping[str, Data]) -> dict[str, Any]:
    return {
        "measure": measure(part["measure"]),
        "key": part["measure"],
        "group": part["group"],
        "weight": part["weight"],
        "has": part["contribution"],
        "lost": part["weight"] - part["contribution"],
        "value": part["value"],
        "tone": tone(part["value"]),
        "missing": part["missing"],
        "reason": part["reason"],
        "facts": [_fact(each, facts) for each in part["facts"]],
        "evidence": evidence(part["facts"]),
    }


def _group(name: str, parts: Sequence[dict[str, Any]]) -> dict[str, Any]:
    weight, has = sum(each["weight"] for each in parts), sum(each["has"] for each in parts)
    return {
        "name": name.replace("_", " ").capitalize(),
        "parts": parts,
        "weight": weight,
        "has": has,
        "lost": weight - has,
        "tone": tone(has / weight),
    }


def _fact(fact: Data, facts: Mapping[str, Data]) -> dict[str, Any]:
    known = facts.get(fact["name"])
    return {
        "meaning": known["meaning"] if known else fact["name"].replace("_", " "),
        "value": fact["value"],
        "unit": fact["unit"],
    }


def evidence(facts: Sequence[Data], *, field: str = "evidence") -> list[dict[str, Any]]:
    """Records behind some facts, each kind and window once, though several facts rest on it."""
    made: dict[tuple[str, str | None, str], dict[str, Any]] = {}
    for each in (each for fact in facts for each in fact[field]):
        made.setdefault((each["kind"], each["since"], each["until"]), {**each, "kind": kinds(each["kind"])})
    return [each for each in made.values() if each["total"]]


def kinds(kind: str) -> str:
    """A kind of record in the plural."""
    words = {"activity": "days of use", "csat": "CSAT answers", "nps": "NPS answers", "sentiment": "judgements"}
    if kind in words:
        return words[kind]
    said = kind.replace("_", " ")
    return f"{said[:-1]}ies" if said.endswith("y") else f"{said}s"


def changes(comparison: Data, facts: Mapping[str, Data]) -> list[dict[str, Any]]:
    """What moved a score, the largest first: one entry a measure and cause, with its facts of both days."""
    return [
        {
            "measure": "Override" if each["measure"] == "override" else measure(each["measure"]),
            "cause": CAUSES.get(each["cause"], ""),
            "amount": each["amount"],
            "small": abs(each["amount"]) < SMALL,
            "reweighting": each["reweighting"],
            "facts": [
                {**_fact({**fact, "value": None}, facts), "before": fact["before"], "after": fact["after"]}
                for fact in each["facts"]
                if fact["before"] != fact["after"]
            ],
            "evidence": evidence(each["facts"]),
            "by": (each["override"] or {}).get("by"),
        }
        for each in comparison["changes"]
    ]


CAUSES: Mapping[str, str] = {
    "DATA": "the data",
    "MISSING_DATA": "data that is missing",
    "DEFINITION": "another definition",
    "OVERRIDE": "a person's word",
}
"""What a score changed by."""

"""Numbers and days as people and spreadsheets write them: 1,234.50 and 1.234,50, $5 and 5 %, 31/1/2026 and 31-Jan-26.

A column is read as a whole: which mark parts thousands, and whether the day or the month comes first, is decided by all of
its values together, never by one.
"""

import re
import time
from collections.abc import Collection, Mapping
from datetime import date

ENGLISH = re.compile(r"[-+]?(?:[1-9]\d{0,2}(?:,\d{3})+|\d+)?(?:\.\d+)?")
CONTINENTAL = re.compile(r"[-+]?(?:[1-9]\d{0,2}(?:\.\d{3})+|\d+)?(?:,\d+)?")
AROUND = re.compile(r"^([-+]?)\s*(?:[$€£¥₹]|[A-Z]{3}\s)?\s*(.*?)\s*(?:[$€£¥₹%]|\s[A-Z]{3})?$")

DAYS = ("%Y-%m-%d", "%Y%m%d", "%Y/%m/%d", "%d-%m-%Y", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%m-%d-%Y")
SHORTER_DAYS = ("%d-%b-%Y", "%d-%b-%y", "%d/%m/%y", "%m/%d/%y", "%d.%m.%y")
BEFORE_TIME = re.compile(r"[T ]+\d.*$|T$")  # a space before a month's name is part of the day


def numbers(texts: Collection[str]) -> dict[str, float]:
    """{text: number} of those that are one. All of a kind decide how they are written: 1,234 is a thousand unless one of
    them has a comma where English has none."""
    plain = {text: number for text in texts if (number := _plain(text)) is not None}
    if len(plain) == len(texts):
        return plain
    bare = {text: AROUND.sub(r"\1\2", text) for text in texts}
    english = {text: float(of.replace(",", "")) for text, of in bare.items() if _is(ENGLISH, of)}
    continental = {
        text: float(of.replace(".", "").replace(",", ".")) for text, of in bare.items() if _is(CONTINENTAL, of)
    }
    return max((plain, english, continental), key=len)


def _plain(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _is(form: re.Pattern[str], text: str) -> bool:
    return form.fullmatch(text) is not None and any(letter.isdigit() for letter in text)


def days(texts: Collection[str]) -> list[Mapping[str, int]]:
    """Every reading in which all texts are days: {text: ordinal}; empty where there is none. Times of day are cut off."""
    found: list[Mapping[str, int]] = []
    for form in (*DAYS, *SHORTER_DAYS):
        reading = _parsed(texts, form)
        if reading is not None and reading not in found:
            found.append(reading)
    return found


def likeliest(readings: Collection[Mapping[str, int]]) -> Mapping[str, int]:
    """Of several, that with the fewest days of the month: lists of months are more common than of days of one month."""
    return min(readings, key=lambda reading: len({date.fromordinal(day).day for day in reading.values()}))


def _parsed(texts: Collection[str], form: str) -> dict[str, int] | None:
    found = {}
    for text in texts:
        try:
            parts = time.strptime(BEFORE_TIME.sub("", text), form)
        except ValueError:
            return None
        found[text] = date(*parts[:3]).toordinal()
    return found

"""The GA4 connector: two reports a window of days, by customer and event, and by customer and user.

Google hands out sums only, so nothing is summed here; which customer a row is of, a custom dimension must say. Numbers settle
for a day or two, so the last days are read again by every sync.
"""

from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import orjson
from pydantic import Field, SecretStr, field_validator

from connectors.ga4 import quota
from connectors.ga4.refusals import VIEWER, judge
from connectors.ga4.reports import NOT_SET, OTHER, Question, Report
from connectors.kit import usage_records
from connectors.kit.base import Page, Raw, Stream, Window
from connectors.kit.errors import DeniedError, PausedError
from connectors.kit.http import Client
from connectors.kit.manifest import Manifest
from connectors.kit.oauth import JwtBearer, Tokens
from connectors.kit.settings import SourceSettings
from connectors.kit.usage import Fields
from connectors.kit.usage_pull import ONE_DAY, first_day
from hub.model.records import FeatureUsageDay, Quarantined, UserActivityDay

SCOPE = "https://www.googleapis.com/auth/analytics.readonly"
TOKEN_URL = "https://oauth2.googleapis.com/token"  # noqa: S105 - an address
BY_EVENT = ("eventCount", "totalUsers")
BY_USER = ("eventCount", "sessions", "userEngagementDuration")


class Settings(SourceSettings):
    """See manifest.yaml for each."""

    base_url: str = "https://analyticsdata.googleapis.com"
    property_id: int
    service_account: SecretStr
    account_dimension: str = "customUser:account_id"
    user_dimension: str | None = None
    history_days: int = Field(default=540, ge=1, le=3650)
    settle_days: int = Field(default=3, ge=0, le=30)
    window_days: int = Field(default=14, ge=1, le=366)
    page_size: int = Field(default=100_000, ge=1, le=250_000)

    @field_validator("service_account")
    @classmethod
    def _is_a_key(cls, value: SecretStr) -> SecretStr:
        _key(value)
        return value


class Connector:
    def __init__(self, settings: Settings) -> None:
        self.manifest = Manifest.of(Path(__file__).parent)
        self.settings = settings
        key = _key(settings.service_account)
        self._tokens = Tokens(
            str(key.get("token_uri") or TOKEN_URL),
            grant=JwtBearer(
                str(key["client_email"]),
                SecretStr(str(key["private_key"])),
                claims={"scope": SCOPE},
                key_id=str(key["private_key_id"]) if key.get("private_key_id") else None,
                lifetime=3600,
            ),
            proxy=settings.proxy,
        )
        self._due: PausedError | None = None
        # the quotas are the property's, whoever asks
        self._budget = self.manifest.budget(settings.base_url, str(settings.property_id))

    def client(self) -> Client:
        s = self.settings
        return Client(
            s.base_url,
            budget=self._budget,
            authorize=self._authorize,
            renew=self._renew,
            judge=judge,
            proxy=s.proxy,
        )

    def streams(self) -> tuple[Stream, ...]:
        fields = Fields(event="eventName", user=self.settings.user_dimension or "user", company=self._account)
        return (
            Stream(
                name="usage",
                makes=(UserActivityDay, FeatureUsageDay),
                pull=self.pull_usage,
                records=partial(usage_records.usage, fields=fields),
                key=usage_records.usage_key,
            ),
        )

    @property
    def _account(self) -> str:
        return self.settings.account_dimension

    async def pull_usage(self, client: Client, window: Window) -> AsyncIterator[Page]:
        s, today = self.settings, window.started_at.date()
        start = first_day(window.bookmark, now=window.started_at, history_days=s.history_days)
        surely = today - ONE_DAY * (1 + s.settle_days)
        ask = partial(self._ask, client, window.started_at)
        by_event = Question(dimensions=("date", self._account, "eventName"), metrics=BY_EVENT)
        by_user = (
            Question(dimensions=("date", self._account, s.user_dimension), metrics=BY_USER)
            if s.user_dimension
            else None
        )
        while start <= today:
            last = min(start + timedelta(days=s.window_days - 1), today)
            features = await by_event.answer(ask, start, last, limit=s.page_size)
            users = await by_user.answer(ask, start, last, limit=s.page_size) if by_user else None
            rows = [*(_user_days(users) if users else ()), *_feature_days(features)]
            faults = [fault for report in (features, users) if report for fault in _left_out(report, start, last)]
            through = min(last, surely)
            bookmark = {"through": through.isoformat()} if through >= start else None
            for page in usage_records.pages(rows, bookmark=bookmark, faults=faults):
                yield page
            start = last + ONE_DAY

    async def _ask(self, client: Client, now: datetime, body: Mapping[str, Any]) -> Any:
        """One request; a quota that will not do for the next one pauses the source before it."""
        if self._due is not None and self._due.until > now:
            raise self._due
        answer = await client.post_json(f"/v1beta/properties/{self.settings.property_id}:runReport", json=body)
        told = answer.get("propertyQuota") if isinstance(answer, Mapping) else None
        self._due = quota.spend(told, self._budget, now=now)
        return answer

    async def _authorize(self) -> str:
        try:
            return await self._tokens.current()
        except DeniedError as error:
            raise _unknown(error) from None

    async def _renew(self) -> str:
        try:
            return await self._tokens.renew()
        except DeniedError as error:
            raise _unknown(error) from None


def _unknown(error: DeniedError) -> DeniedError:
    return DeniedError(
        f"{error}; service_account must be the key of a service account that is {VIEWER}", permission=VIEWER
    )


def _key(value: SecretStr) -> Mapping[str, Any]:
    try:
        key = orjson.loads(value.get_secret_value())
    except orjson.JSONDecodeError:
        key = None
    if not isinstance(key, dict) or not {"client_email", "private_key"} <= key.keys():
        raise ValueError("must be the JSON key of a service account, with client_email and private_key")
    return key


def _feature_days(report: Report) -> Iterator[Raw]:
    for (day, account, event), (events, users) in sorted(report.rows):
        if not (_named(account) and _named(event)):
            continue
        yield {
            "kind": "feature_day", "company": account, "feature": event, "day": _iso(day), "version": 0,
            "events": int(events), "users": int(users),
        }  # fmt: skip


def _user_days(report: Report) -> Iterator[Raw]:
    for (day, account, user), (events, sessions, seconds) in sorted(report.rows):
        if not (_named(account) and _named(user)):
            continue
        count = int(sessions) or 1  # a session that began the day before is that day's
        yield {
            "kind": "user_day", "company": account, "user": user, "day": _iso(day), "version": 0,
            "events": int(events), "sessions": count, "minutes": round(max(float(count), seconds / 60), 2),
        }  # fmt: skip


def _left_out(report: Report, first: date, last: date) -> Iterator[Quarantined]:
    """What a report does not say, told once for its days."""
    span, fields = f"{first}|{last}", "users" if report.rows and len(report.rows[0][1]) == len(BY_USER) else "events"
    unnamed = sum(int(metrics[0]) for names, metrics in report.rows if not all(map(_named, names)))
    reasons = {
        "other": "Google put rows into (other), because there are too many of them for a day: their customers are not known,"
        " and their use is missing; ask for fewer days or a dimension with fewer values" if report.other else "",
        "thresholding": "Google left out rows of few users (thresholding); with Google signals off, or reporting by device,"
        " it does not" if report.thresholded else "",
        "sampling": "Google counted a sample of the events only; ask for fewer days with window_days" if report.sampled else "",
        "not set": f"{unnamed} events name no customer or user, or came into (other)" if unnamed else "",
    }  # fmt: skip
    for what, reason in reasons.items():
        if reason:
            yield Quarantined(key=f"{what}|{fields}|{span}", reason=f"{first} to {last}: {reason}", field=what)


def _named(value: str) -> bool:
    return value not in NOT_SET and value != OTHER


def _iso(day: str) -> str:
    """ "20261122" as 2026-11-22."""
    return f"{day[:4]}-{day[4:6]}-{day[6:]}"

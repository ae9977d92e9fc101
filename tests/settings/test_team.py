"""team.yaml: who works when, in their own time zone, and every fault of the file at once."""

from datetime import UTC, date, datetime

import pytest

from hub.documents import Document
from hub.errors import ConfigError
from hub.model.actions import Role
from hub.settings.team import TeamFile

TEXT = """
hours: {from: "09:00", to: 17:30}
holidays: [2026-12-25]
members:
  Ann@Example.com:
    timezone: America/New_York
    hours: {from: "08:00", to: "16:00", days: [monday, tuesday]}
    holidays: [2026-12-28]
    slack: U012AB3CD
    role: csm
"""


def test_members_have_their_own_hours_and_everybody_else_the_teams() -> None:
    team = Document.from_text(TEXT, name="team.yaml").parse(TeamFile).team(timezone="Europe/Berlin")
    ann, other = team.member("ann@example.COM"), team.member("new@example.com")
    assert (ann.role, ann.zone.key, other.zone.key, other.role) == (Role.CSM, "America/New_York", "Europe/Berlin", None)
    assert team.by_slack("U012AB3CD") is ann
    assert team.by_slack("U999999") is None
    # Friday evening in Berlin: Monday at nine there; Ann's Monday the 28th is a holiday
    friday = datetime(2026, 11, 20, 18, tzinfo=UTC)
    assert other.next_working(friday) == datetime(2026, 11, 23, 8, tzinfo=UTC)
    assert ann.next_working(datetime(2026, 12, 23, 18, tzinfo=UTC)) == datetime(2026, 12, 29, 13, tzinfo=UTC)
    assert other.next_working(datetime(2026, 11, 23, 8, 30, tzinfo=UTC)) == datetime(2026, 11, 23, 8, 30, tzinfo=UTC)
    assert not other.works_at(datetime(2026, 11, 23, 16, 30, tzinfo=UTC))
    # Thursday 24 December: the next business day is Monday
    assert other.business_days_after(datetime(2026, 12, 24, 9, tzinfo=UTC), 1) == date(2026, 12, 28)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("members: {ann: {}}", "'ann' is no e-mail address"),
        ("members: {a@b: {}, A@B: {}}", "'a@b' is there twice"),
        ("members: {a@b: {slack: U1234}, c@d: {slack: U1234}}", "the Slack user U1234 is there twice"),
        ("members: {a@b: {slack: ann}}", "'ann' is no Slack user id"),
        ("timezone: Mars/Base", "'Mars/Base' is no time zone"),
        ('hours: {from: "18:00", to: "09:00"}', "the end must come later"),
        ('hours: {from: "25:00"}', "'25:00' is no time of day"),
        ("hours: {days: [lunes]}", "'lunes' is no day of the week"),
    ],
)
def test_what_is_wrong_is_said(text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        Document.from_text(text, name="team.yaml").parse(TeamFile)

"""Who presses a button or types a command: a member of config/team.yaml, by Slack user or by the address Slack knows.

The Slack user of team.yaml goes first. Where the bot may read addresses (scopes users:read and users:read.email), a full
member of its own workspace is also known by the address that stands in team.yaml: guests and people of other companies in
shared channels never are.
"""

from dataclasses import dataclass

from hub.access import Viewer
from hub.access.viewer import book_of
from hub.delivery import Rejected, Uncertain
from hub.delivery.slack_web import SlackWeb
from hub.model.actions import Role
from hub.model.team import Member, Team


@dataclass(frozen=True, slots=True)
class Person:
    """Who asks. `member`: None where nobody of ours is known to be them. `books`: a CSM sees its own customers alone."""

    user: str
    member: Member | None
    books: bool = False

    def may(self, role: Role) -> bool:
        return self.member is not None and self.member.role is not None and self.viewer.may(role)

    @property
    def viewer(self) -> Viewer:
        """As audit entries name them; only of who has a role."""
        assert self.member is not None, "ask `may` first"
        assert self.member.role is not None, "ask `may` first"
        return Viewer(
            token_id=f"slack:{self.user}",
            name=self.member.name or self.member.email,
            role=self.member.role,
            csm_email=self.member.email,
            book=book_of(self.member.role, self.member.email, books=self.books),
        )

    def refusal(self, needed: Role) -> str:
        """Why they may not, and how that is changed."""
        if self.member is None:
            return (
                f"I don't know you yet, so I did nothing. Somebody who runs cshub can add you to `config/team.yaml`: "
                f"your address under `members`, with `slack: {self.user}` and `role: {needed.value}`."
            )
        if self.member.role is None:
            return (
                "You have no role yet, so I did nothing. Somebody who runs cshub can give you one: "
                f"`role: {needed.value}` beside your address in `config/team.yaml`."
            )
        return (
            f"That needs the role {needed.value}; yours is {self.member.role.value}, which may look and not act. "
            "The role stands in `config/team.yaml`."
        )


class People:
    """Looks people up, and remembers for the life of the process what Slack said of them."""

    def __init__(self, team: Team, web: SlackWeb, *, books: bool = False) -> None:
        self.team = team
        self._books = books
        self._web = web
        self._known: dict[str, Member | None] = {}
        self._workspace: str | None = None

    async def find(self, user: str) -> Person:
        if (member := self.team.by_slack(user)) is not None:
            return self._person(user, member)
        if user not in self._known and self.team.members:
            try:
                self._known[user] = await self._ask(user)
            except (Rejected, Uncertain):  # no such scope, or not now: nobody's rights hang on it
                return self._person(user, None)
        return self._person(user, self._known.get(user))

    def _person(self, user: str, member: Member | None) -> Person:
        return Person(user, member, self._books)

    async def _ask(self, user: str) -> Member | None:
        found = (await self._web.call("users.info", {"user": user}, as_form=True)).get("user") or {}
        if self._workspace is None:
            self._workspace = str((await self._web.call("auth.test", {}, as_form=True)).get("team_id") or "")
        apart = ("deleted", "is_bot", "is_restricted", "is_ultra_restricted", "is_stranger")
        email = str((found.get("profile") or {}).get("email") or "").lower()
        if any(found.get(each) for each in apart) or not email or found.get("team_id") != self._workspace:
            return None
        member = self.team.members.get(email)
        return None if member is None or member.slack not in (None, user) else member

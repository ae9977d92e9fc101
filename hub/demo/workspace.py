"""The demo's Slack workspace behind its Web API: channels, members, and what each method does or refuses to do."""

import re
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from hashlib import blake2b
from typing import Any

from hub.demo.blocks import MOST_HOME_BLOCKS, MOST_TEXT, complaints
from hub.demo.outbox import Outbox
from hub.demo.uploads import Files, Refused

TEAM = "T0CSHUBDEMO"
BOT = "U0CSHUBBOT0"
_NAME = re.compile(r"#?[a-z0-9][a-z0-9_-]{0,79}")
Arguments = Mapping[str, Any]
Answer = Mapping[str, Any]


class Workspace:
    """people: e-mail -> name of its members. channels: their names, without #; None: every well-formed name is one."""

    def __init__(
        self,
        outbox: Outbox,
        *,
        people: Callable[[], Mapping[str, str]],
        channels: Collection[str] | None,
        clock: Callable[[], datetime],
    ) -> None:
        self._outbox, self._people, self._channels, self._clock = outbox, people, channels, clock
        self.files = Files(outbox, clock=clock)
        # how a person writes the channels that were named so far, before this process, too
        self._shown = outbox.channels()

    def test(self, arguments: Arguments) -> Answer:
        return {"args": {name: value for name, value in arguments.items() if name != "token"}}

    def who_am_i(self, _: Arguments) -> Answer:
        return {
            "url": "https://northbeam-demo.slack.example/",
            "team": "Northbeam",
            "team_id": TEAM,
            "user": "cshub",
            "user_id": BOT,
            "bot_id": "B0CSHUBBOT0",
        }

    def post(self, arguments: Arguments, *, answered: bool) -> Answer:
        """`answered`: whether the sender will be told."""
        channel, shown = self.place(arguments)
        message = _message(arguments, self.files.complete)
        thread = arguments.get("thread_ts")
        if thread is not None and self._outbox.find(address=channel, ts=str(thread)) is None:
            raise Refused("thread_not_found")
        now = self._clock()
        ts = _next_ts(now, self._outbox.last_ts(channel))
        broadcast = bool(thread is not None and arguments.get("reply_broadcast"))
        body = {"ts": ts, **message, "thread_ts": thread, "reply_broadcast": broadcast}
        self._outbox.add(
            "slack",
            at=now,
            address=channel,
            shown=shown,
            subject=message["text"][:200],
            dedup=_dedup(message["metadata"]),
            answered=answered,
            body=body,
        )
        posted = {"type": "message", "subtype": "bot_message", "bot_id": "B0CSHUBBOT0", "ts": ts, **message}
        return {"channel": channel, "ts": ts, "message": posted}

    def update(self, arguments: Arguments) -> Answer:
        if str(arguments.get("channel", ""))[:1] not in ("C", "D"):
            raise Refused("channel_not_found")  # unlike chat.postMessage it takes no names
        channel, shown = self.place(arguments)
        ts = str(arguments.get("ts", ""))
        if self._outbox.find(address=channel, ts=ts) is None:
            raise Refused("message_not_found")
        message = _message(arguments, self.files.complete)
        body = {"ts": ts, **message}
        self._outbox.add(
            "slack_update", at=self._clock(), address=channel, shown=shown, subject=message["text"], body=body
        )
        return {"channel": channel, "ts": ts, "text": message["text"], "message": {**message, "user": BOT}}

    def open(self, arguments: Arguments) -> Answer:
        users = arguments.get("users")
        wanted = users.split(",") if isinstance(users, str) else users
        if not wanted:
            raise Refused("users_list_not_supplied")
        members = {user_id(email): name for email, name in self._people().items()}
        if not set(wanted) <= set(members):
            raise Refused("user_not_found")
        channel = _id("D", ",".join(sorted(wanted)))
        self._shown[channel] = "@" + ", ".join(members[user] for user in wanted)
        return {"channel": {"id": channel}}

    def look_up(self, arguments: Arguments) -> Answer:
        email = str(arguments.get("email", ""))
        if (name := self._people().get(email)) is None:
            raise Refused("users_not_found")
        profile = {"email": email, "real_name": name, "display_name": name.split()[0]}
        user = {
            "id": user_id(email),
            "team_id": TEAM,
            "name": email.partition("@")[0],
            "deleted": False,
            "is_bot": False,
        }
        return {"user": {**user, "real_name": name, "profile": profile}}

    def info(self, arguments: Arguments) -> Answer:
        user = str(arguments.get("user", ""))
        email = self.members().get(user)
        if email is None:
            raise Refused("user_not_found")
        return self.look_up({"email": email})

    def members(self) -> dict[str, str]:
        """{user id: e-mail}."""
        return {user_id(email): email for email in self._people()}

    def name_of(self, user: str) -> str:
        return self._people().get(self.members().get(user, ""), user)

    def publish(self, arguments: Arguments) -> Answer:
        """An App Home; each is kept, the last one is what the person sees."""
        user, view = str(arguments.get("user_id", "")), arguments.get("view")
        if user not in self.members():
            raise Refused("user_not_found")
        if not isinstance(view, dict) or view.get("type") != "home":
            raise Refused("invalid_arguments")
        if wrong := complaints(view.get("blocks"), files=self.files.complete, most=MOST_HOME_BLOCKS):
            raise Refused("invalid_blocks", errors=wrong, response_metadata={"messages": wrong})
        id_ = _id("V", user)
        shown = f"App Home of {self.name_of(user)}"
        body = {"view_id": id_, "blocks": view["blocks"]}
        self._outbox.add("slack_home", at=self._clock(), address=user, shown=shown, subject="App Home", body=body)
        return {"view": {"id": id_, "type": "home", "blocks": view["blocks"]}}

    def open_view(self, arguments: Arguments) -> Answer:
        """A modal; the sandbox checks it and shows none."""
        view = arguments.get("view")
        if not arguments.get("trigger_id"):
            raise Refused("invalid_trigger_id")
        if not isinstance(view, dict) or view.get("type") != "modal" or not view.get("title"):
            raise Refused("invalid_arguments")
        if wrong := complaints(view.get("blocks"), most=MOST_HOME_BLOCKS):
            raise Refused("invalid_blocks", errors=wrong, response_metadata={"messages": wrong})
        return {"view": {"id": _id("V", str(arguments["trigger_id"])), "type": "modal"}}

    def place(self, arguments: Arguments) -> tuple[str, str]:
        """The channel's id, and how a person writes it. A member's id, too, is a place to post to."""
        channel = str(arguments.get("channel", ""))
        if channel in self._shown:
            return channel, self._shown[channel]
        for email, name in self._people().items():
            if channel == user_id(email):
                return _id("D", channel), f"@{name}"
        name = channel.removeprefix("#")
        if self._channels is not None:
            known = {_id("C", name): name for name in self._channels}
            name = known.get(channel, name)
        if not _NAME.fullmatch(name) or (self._channels is not None and name not in self._channels):
            raise Refused("channel_not_found")
        self._shown[_id("C", name)] = f"#{name}"
        return _id("C", name), f"#{name}"


def user_id(email: str) -> str:
    """The workspace's id of a member."""
    return _id("U", email)


def _message(arguments: Arguments, files: Collection[str]) -> dict[str, Any]:
    text, blocks, metadata = str(arguments.get("text") or ""), arguments.get("blocks") or [], arguments.get("metadata")
    if not text and not blocks and not arguments.get("attachments"):
        raise Refused("no_text")
    if len(text) > MOST_TEXT:
        raise Refused("msg_too_long")
    if wrong := complaints(blocks, files=files):
        raise Refused("invalid_blocks", errors=wrong, response_metadata={"messages": wrong})
    if metadata is not None and not (
        isinstance(metadata, dict)
        and isinstance(metadata.get("event_type"), str)
        and isinstance(metadata.get("event_payload"), dict)
    ):
        raise Refused("invalid_metadata_format")
    return {"text": text, "blocks": blocks, "metadata": metadata}


def _dedup(metadata: Mapping[str, Any] | None) -> str | None:
    key = metadata["event_payload"].get("dedup_key") if metadata else None
    return str(key) if key is not None else None


def _next_ts(now: datetime, last: str | None) -> str:
    """Slack's ts: seconds and six digits, unique in a channel, and growing."""
    micros = int(now.timestamp() * 1_000_000)
    if last is not None:
        micros = max(micros, int(last.replace(".", "")) + 1)
    return f"{micros // 1_000_000}.{micros % 1_000_000:06d}"


def _id(letter: str, of: str) -> str:
    return letter + blake2b(of.encode(), digest_size=5).hexdigest().upper()

"""Slack: messages (chat.postMessage with Block Kit), their updates in place (chat.update), and App Homes (views.publish).

Slack takes no idempotency key, so a message is never tried twice here: our key goes into its metadata, where a person or a
later reconciliation finds it. An update or a Home that arrives twice is the same as once, so those are simply sent again.

A message's payload is {text, blocks}, and where it is wanted
    thread_ts, reply_broadcast   a reply in a thread, shown in the channel too
    files                        pictures: [{name, bytes (base64), alt, title?}]. They are uploaded first and follow the blocks
                                 in order; a block {type: image, file: name} is where one stands instead
"""

import base64
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from hub.delivery.base import Manners, Message, Receipt, Refusal, Rejected, Uncertain
from hub.delivery.posting import post
from hub.delivery.slack_web import BASE_URL, TIMEOUT_SECONDS, BlocksRefused, SlackWeb

__all__ = ["BASE_URL", "HOME_MANNERS", "MANNERS", "UPDATE_MANNERS", "SlackChannel", "SlackHomes", "SlackUpdates"]

METADATA_EVENT = "cshub_delivery"
MANNERS = Manners()
"""About a message a second a channel."""
UPDATE_MANNERS = Manners(interval=timedelta(seconds=1.2), recognises=True, expiry=timedelta(hours=24))
"""chat.update is of Slack's tier 3: fifty a minute."""
HOME_MANNERS = Manners(interval=timedelta(seconds=5), recognises=True, expiry=timedelta(hours=1))
PICTURES_READY_IN = timedelta(seconds=5)
"""Slack looks at an upload for a moment before a block may show it."""


class SlackChannel:
    """Posts as the bot of `token`. `base_url` ends before the method's name."""

    name = "slack"

    def __init__(
        self,
        token: str,
        *,
        base_url: str = BASE_URL,
        timeout_seconds: int = TIMEOUT_SECONDS,
        manners: Manners = MANNERS,
    ) -> None:
        self.manners = manners
        self.web = SlackWeb(token, base_url=base_url, timeout_seconds=timeout_seconds)
        self._timeout = timeout_seconds

    def __repr__(self) -> str:
        return f"SlackChannel({self.web.base_url})"

    async def send(self, message: Message) -> Receipt:
        payload = message.payload
        files = payload.get("files") or ()
        blocks = _with_pictures(payload["blocks"], files, await self._upload(files))
        body = {
            "channel": message.address,
            "text": payload["text"],
            "blocks": blocks,
            "metadata": {"event_type": METADATA_EVENT, "event_payload": {"dedup_key": message.dedup_key}},
            "unfurl_links": False,
            "unfurl_media": False,
        }
        if payload.get("thread_ts"):
            body |= {"thread_ts": payload["thread_ts"], "reply_broadcast": bool(payload.get("reply_broadcast"))}
        try:
            answer = await self.web.call("chat.postMessage", body)
        except BlocksRefused as error:
            if not files:
                raise
            raise Rejected(error.reason, kind=Refusal.TRANSIENT, retry_after=PICTURES_READY_IN) from None
        return {"channel": answer.get("channel"), "ts": answer.get("ts")}

    async def _upload(self, files: Sequence[Mapping[str, Any]]) -> dict[str, str]:
        """{name: id of the file at Slack}. What goes wrong here leaves at most a file that nobody sees."""
        if not files:
            return {}
        ids: dict[str, str] = {}
        try:
            for each in files:
                content = base64.b64decode(each["bytes"])
                asked = {"filename": each["name"], "length": len(content), "alt_txt": each["alt"]}
                place = await self.web.call("files.getUploadURLExternal", asked, as_form=True)
                headers = {"Content-Type": "application/octet-stream"}
                url = str(place["upload_url"])
                put = await post(url, content, to="Slack", headers=headers, timeout_seconds=self._timeout)
                if not put.taken:
                    reason = f"Slack takes no picture ({put.status})"
                    raise Rejected(reason, kind=Refusal.TRANSIENT, retry_after=put.retry_after)
                ids[each["name"]] = str(place["file_id"])
            named = [{"id": ids[each["name"]], "title": each.get("title") or each["name"]} for each in files]
            await self.web.call("files.completeUploadExternal", {"files": named})
        except Uncertain as error:  # of an upload: no message is out
            raise Rejected(error.reason, kind=Refusal.TRANSIENT) from None
        return ids


class SlackUpdates:
    """Changes messages in place. Payload: {channel (Slack's id), ts, text, blocks}."""

    name = "slack_update"

    def __init__(self, web: SlackWeb, *, manners: Manners = UPDATE_MANNERS) -> None:
        self.manners = manners
        self._web = web

    async def send(self, message: Message) -> Receipt:
        given = message.payload
        answer = await self._web.call(
            "chat.update", {name: given[name] for name in ("channel", "ts", "text", "blocks")}
        )
        return {"channel": answer.get("channel"), "ts": answer.get("ts")}


class SlackHomes:
    """Publishes App Homes. The address is a Slack user's id; payload: {blocks}."""

    name = "slack_home"

    def __init__(self, web: SlackWeb, *, manners: Manners = HOME_MANNERS) -> None:
        self.manners = manners
        self._web = web

    async def send(self, message: Message) -> Receipt:
        view = {"type": "home", "blocks": message.payload["blocks"]}
        answer = await self._web.call("views.publish", {"user_id": message.address, "view": view})
        found = answer.get("view")
        return {"view": found.get("id") if isinstance(found, dict) else None}


def _with_pictures(
    blocks: Sequence[Mapping[str, Any]], files: Sequence[Mapping[str, Any]], ids: Mapping[str, str]
) -> list[Mapping[str, Any]]:
    shown = {each["name"]: _picture(each, ids[each["name"]]) for each in files}
    made: list[Mapping[str, Any]] = []
    for block in blocks:
        wanted = block.get("file") if block.get("type") == "image" else None
        made.append(block if wanted is None else shown.pop(wanted))
    return [*made, *shown.values()]


def _picture(file: Mapping[str, Any], id_: str) -> Mapping[str, Any]:
    block: dict[str, Any] = {"type": "image", "slack_file": {"id": id_}, "alt_text": file["alt"]}
    if file.get("title"):
        block["title"] = {"type": "plain_text", "text": file["title"]}
    return block

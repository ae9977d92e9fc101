"""The demo's Slack: files, in Slack's three steps, and how a method refuses.

files.getUploadURLExternal says where to, a POST there brings the bytes, files.completeUploadExternal makes them a file that
blocks may show as `slack_file`.
"""

import base64
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from hub.demo.outbox import Outbox

Arguments = Mapping[str, Any]
Answer = Mapping[str, Any]


class Refused(Exception):  # noqa: N818  Slack's answer, on its way out of a method
    """`ok` false: Slack's word for why, and what else its answer says."""

    def __init__(self, error: str, **more: object) -> None:
        super().__init__(error)
        self.answer = {"ok": False, "error": error, **more}


class Files:
    """complete: {id: its arrival's number} of those that may be shown."""

    def __init__(self, outbox: Outbox, *, clock: Callable[[], datetime]) -> None:
        self._outbox, self._clock = outbox, clock
        self._asked: dict[str, tuple[str, int]] = {}
        self._bytes: dict[str, bytes] = {}
        self.complete: dict[str, int] = {}

    def ask(self, arguments: Arguments, *, at: str) -> Answer:
        """`at`: the address that uploads begin with."""
        name, length = str(arguments.get("filename") or ""), str(arguments.get("length") or "")
        if not name or not length.isdecimal() or int(length) == 0:
            raise Refused("invalid_arguments")
        id_ = f"F{len(self._asked) + 1:08X}{self._clock():%H%M%S}"
        self._asked[id_] = (name, int(length))
        return {"upload_url": f"{at}/{id_}", "file_id": id_}

    def receive(self, id_: str, content: bytes) -> bool:
        """Whether it is what was announced."""
        if id_ not in self._asked or len(content) != self._asked[id_][1]:
            return False
        self._bytes[id_] = content
        return True

    def finish(self, arguments: Arguments) -> Answer:
        files = arguments.get("files")
        if not isinstance(files, list) or not files:
            raise Refused("invalid_arguments")
        ids = [str(each.get("id")) if isinstance(each, Mapping) else "" for each in files]
        if any(each not in self._bytes for each in ids):
            raise Refused("file_not_found")
        for each in ids:
            name = self._asked[each][0]
            body = {"id": each, "name": name, "bytes": base64.b64encode(self._bytes.pop(each)).decode()}
            self.complete[each] = self._outbox.add(
                "slack_file", at=self._clock(), address=each, shown=name, subject=name, body=body
            )
        return {"files": [{"id": each, "title": self._asked[each][0]} for each in ids]}

"""Several applications below one address: each is served under its name and sees paths as if it stood alone.

Starlette's own mounts keep the whole path in the scope; a vendor's sandbox is to see what the vendor would see.
"""

from collections.abc import Mapping

from starlette.types import ASGIApp, Receive, Scope, Send


class Mounts:
    """`apps` by their first path segment; everything else goes to `otherwise`."""

    def __init__(self, apps: Mapping[str, ASGIApp], *, otherwise: ASGIApp) -> None:
        self._apps, self._otherwise = apps, otherwise

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        name, slash, rest = path.removeprefix("/").partition("/")
        app = self._apps.get(name)
        if scope["type"] != "http" or app is None:
            await self._otherwise(scope, receive, send)
            return
        raw = bytes(scope.get("raw_path") or path.encode())
        inner = {**scope, "path": slash + rest or "/", "raw_path": raw[len(name) + 1 :] or b"/"}
        await app(inner, receive, send)

"""The suppression list, as the GraphQL mutations change it; the caller has checked who may."""

from hub.compose.hub import Hub


class MailActions:
    """What is audited by the mutation is not audited again."""

    _hub: Hub

    async def suppress_mail(self, address: str, *, by: str, topic: str, note: str | None) -> bool:
        return await self._hub.mails.suppress(address, by=by, topic=topic, note=note)

    async def unsuppress_mail(self, address: str, *, topic: str | None) -> int:
        return len(await self._hub.mails.unsuppress(address, topic=topic))

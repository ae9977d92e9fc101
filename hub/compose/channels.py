"""Where playbooks may send, as config/hub.yaml says."""

from dataclasses import replace
from email.utils import parseaddr

from hub.delivery import Channel, mail, pagerduty, slack, webhook
from hub.delivery.mail import MailChannel
from hub.delivery.pagerduty import PagerDutyChannel
from hub.delivery.reach import network
from hub.delivery.slack import SlackChannel
from hub.delivery.webhook import Endpoint, WebhookChannel
from hub.settings import Settings


def channels(settings: Settings) -> dict[str, Channel]:
    """{kind: channel}, for those that are configured."""
    made: dict[str, Channel] = {}
    if given := settings.hub.slack:
        made["slack"] = SlackChannel(
            given.token.get_secret_value(),
            base_url=given.base_url,
            manners=replace(slack.MANNERS, expiry=given.expiry),
        )
    if smtp := settings.hub.mail:
        name, address = parseaddr(smtp.sender)
        made["email"] = MailChannel(
            host=smtp.host,
            port=smtp.port,
            sender=address,
            sender_name=name,
            username=smtp.username,
            password=smtp.password.get_secret_value() if smtp.password else None,
            use_tls=smtp.tls,
            start_tls=smtp.starttls,
            manners=replace(mail.MANNERS, expiry=smtp.expiry),
        )
    if paging := settings.hub.pagerduty:
        made["pagerduty"] = PagerDutyChannel(
            {name: key.get_secret_value() for name, key in paging.services.items()},
            base_url=paging.base_url,
            manners=replace(pagerduty.MANNERS, expiry=paging.expiry),
        )
    if hooks := settings.hub.webhooks:
        made["webhook"] = WebhookChannel(
            {
                name: Endpoint(url=each.url.get_secret_value(), secrets=each.secrets)
                for name, each in hooks.endpoints.items()
            },
            allowed=[network(each) for each in hooks.allow],
            manners=replace(webhook.MANNERS, expiry=hooks.expiry, disabled_after=hooks.disable_after),
        )
    return made

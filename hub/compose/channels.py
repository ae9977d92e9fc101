"""Where playbooks may send, as config/hub.yaml says."""

from email.utils import parseaddr

from hub.delivery import Channel
from hub.delivery.mail import MailChannel
from hub.delivery.slack import SlackChannel
from hub.settings import Settings


def channels(settings: Settings) -> dict[str, Channel]:
    """{kind: channel}, for those that are configured."""
    made: dict[str, Channel] = {}
    if slack := settings.hub.slack:
        made["slack"] = SlackChannel(slack.token.get_secret_value(), base_url=slack.base_url)
    if mail := settings.hub.mail:
        name, address = parseaddr(mail.sender)
        made["email"] = MailChannel(
            host=mail.host,
            port=mail.port,
            sender=address,
            sender_name=name,
            username=mail.username,
            password=mail.password.get_secret_value() if mail.password else None,
            use_tls=mail.tls,
            start_tls=mail.starttls,
        )
    return made

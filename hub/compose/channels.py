"""Where playbooks may send, as config/hub.yaml says."""

from email.utils import parseaddr

from hub.delivery import Channel
from hub.delivery.mail import MailChannel
from hub.delivery.slack import SlackChannel
from hub.playbooks import Playbook
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


def unreachable(settings: Settings) -> list[str]:
    """A sentence for each playbook that sends where nothing is configured."""
    there = {name for name, given in (("slack", settings.hub.slack), ("email", settings.hub.mail)) if given}
    return [
        f"playbook {playbook.name} sends to {', '.join(missing)}, which config/hub.yaml does not set up"
        for playbook in settings.playbooks.playbooks.values()
        if (missing := sorted(_channels_of(playbook) - there))
    ]


def _channels_of(playbook: Playbook) -> set[str]:
    return {step.action for step in playbook.steps} & {"slack", "email"}

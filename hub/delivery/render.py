"""Templates into payloads: what a message says, made before anything is saved or sent.

    templates/slack/<name>.yaml   Block Kit as YAML (hub.delivery.render_slack)
    templates/email/<name>.md     a head and Markdown, made into HTML and text (hub.delivery.mail_templates)

Templates are sandboxed and strict: a name that isn't there is an error, not a blank. A value that is None shows as a dash.
Values are escaped for where they go.
"""

from pathlib import Path

from hub.delivery.mail_templates import MailTemplates
from hub.delivery.render_slack import SlackTemplates
from hub.delivery.templating import Context, Rendered, RenderError

__all__ = ["Context", "Rendered", "RenderError", "Renderer"]


class Renderer:
    """Renders the templates of one folder. Templates are read once."""

    def __init__(self, folder: Path) -> None:
        self._slack = SlackTemplates(folder / "slack")
        self._mail = MailTemplates(folder / "email")

    def templates(self, channel: str) -> tuple[str, ...]:
        """The names of the templates there are for `channel`."""
        return self._slack.names if channel == "slack" else self._mail.names

    def render(self, channel: str, name: str, context: Context) -> Rendered:
        """Template `name` of `channel` with `context`; raise RenderError."""
        return self.slack(name, context) if channel == "slack" else self.email(name, context)

    def slack(self, name: str, context: Context) -> Rendered:
        return self._slack.render(name, context)

    def email(self, name: str, context: Context, *, audience: str | None = None) -> Rendered:
        """`audience`: customer or team; None: as the template says."""
        return self._mail.render(name, context, audience=audience)

    def line(self, source: str, context: Context) -> str:
        """One line of text from a template given in place, such as a task's title."""
        return self._slack.line(source, context)

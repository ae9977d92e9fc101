"""What every template is rendered with: a cage, strict about names, and the errors of what cannot be rendered.

Templates are sandboxed and strict: a name that isn't there is an error, not a blank. A value that is None shows as a dash.
What a value becomes on its way into a message belongs to the channel (hub.delivery.render_slack, hub.delivery.mail_templates).
"""

import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from jinja2 import StrictUndefined, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from hub.errors import CshubError

DASH = "\u2013"
FAULTS = (TemplateError, ArithmeticError, TypeError, ValueError)  # what a template can do wrong

Context = Mapping[str, Any]


class RenderError(CshubError):
    """A template that cannot be rendered: which one, and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """subject where the channel has one; payload exactly as the channel will send it."""

    subject: str | None = None
    payload: Mapping[str, Any] = field(default_factory=dict)


def environment(finalize: Callable[..., Any], **options: Any) -> ImmutableSandboxedEnvironment:
    """`finalize` says how a value is shown, None among them."""
    made = ImmutableSandboxedEnvironment(
        undefined=StrictUndefined, finalize=finalize, trim_blocks=True, lstrip_blocks=True, **options
    )
    made.globals.clear()
    made.filters["thousands"] = lambda value: None if value is None else f"{value:,.0f}"
    made.filters["percent"] = lambda value: None if value is None else f"{value * 100:.0f} %"
    made.filters["fixed"] = lambda value, places=1: None if value is None else f"{value:.{places}f}"
    return made


def shown(value: Any) -> Any:
    """A value as it is."""
    return DASH if value is None else value


def why(error: Exception, *, template: str | None = None) -> str:
    """What is wrong, and in which line of `template`, a file's name, where that is known."""
    line = getattr(error, "lineno", None)
    if line is None and template is not None:
        lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == template]
        line = lines[-1] if lines else None
    return f"line {line}: {error}" if line else str(error)

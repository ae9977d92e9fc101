"""Anticipated errors, sorted by what to do about them. Anything else is a bug and is logged with its traceback.

    CshubError
    ├── ConfigError      tell a person: every fault of a configuration, each with file, line or key, and the valid choices
    ├── NotFoundError    tell a person: no such thing, naming what there is
    ├── RefusedError     tell a person: the request is understood and not carried out, and why
    │   └── BusyError    … because it is already being done
    └── TransientError   try again later

The message of each is fit to show and never holds a secret. Connector errors are the kit's (connectors.kit.errors).
"""

from collections.abc import Sequence
from dataclasses import dataclass


class CshubError(Exception):
    """The root of all anticipated errors."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong in a configuration.

    where    file, as the reader would open it; `line` counts from 1
    key      dotted path inside the file, e.g. "bands.warning.below"
    choices  the valid values, where there is a closed list of them
    """

    message: str
    where: str = ""
    line: int | None = None
    key: str = ""
    choices: tuple[str, ...] = ()

    def __str__(self) -> str:
        place = self.where if self.line is None else f"{self.where}:{self.line}"
        head = ": ".join(part for part in (place, self.key) if part)
        tail = f" (choices: {', '.join(self.choices)})" if self.choices else ""
        return f"{head}: {self.message}{tail}" if head else f"{self.message}{tail}"


class ConfigError(CshubError):
    """A configuration that cannot be used; `faults` lists everything wrong with it at once."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))


class NotFoundError(CshubError):
    """No such thing."""


class RefusedError(CshubError):
    """Understood, and not carried out. `about`: the name of the one value it is about, where a form would show it."""

    def __init__(self, message: str, *, about: str | None = None) -> None:
        super().__init__(message)
        self.about = about


class BusyError(RefusedError):
    """Already being done by somebody else."""


class TransientError(CshubError):
    """May work when tried again later."""

"""Finding connectors: every folder of `connectors/` that holds a manifest.yaml is one. Nothing imports a vendor by name.

A folder `connectors/acme/` has `connector.py` with a pydantic model `Settings` and a class `Connector(settings)`, and
`sandbox.py` with `app(world, *, token, faults)`, `settings(base_url, *, token)` and `truth(world)`. Both are imported when
first asked for. A folder elsewhere counts, too, where its parent is on `connectors.__path__`.
"""

import importlib
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from pydantic import ValidationError

import connectors
from connectors.kit.base import Connector
from connectors.kit.manifest import Manifest
from connectors.kit.settings import SourceSettings
from connectors.kit.simulated import World
from hub.documents import Document, faults_of
from hub.errors import ConfigError, Fault

if TYPE_CHECKING:
    from starlette.applications import Starlette

    from connectors.kit.sandbox import Faults

FILE = "manifest.yaml"


class Sandbox(Protocol):
    """A folder's `sandbox.app`. `world` is a callable because the simulated company may grow while it runs."""

    def __call__(self, world: Callable[[], World], *, token: str, faults: "Faults") -> "Starlette": ...


def names() -> tuple[str, ...]:
    """All connectors, by name."""
    return tuple(sorted(path.parent.name for folder in connectors.__path__ for path in Path(folder).glob(f"*/{FILE}")))


def folder(name: str) -> Path:
    """Where `name` lives; ConfigError for an unknown one, naming those there are."""
    for parent in connectors.__path__:
        if (Path(parent) / name / FILE).is_file():
            return Path(parent) / name
    raise ConfigError([Fault(f"there is no connector {name!r}", choices=names())])


def manifest(name: str) -> Manifest:
    """What `name` says of itself; ConfigError for an unknown one (naming those there are) or a faulty manifest."""
    return Manifest.of(folder(name))


def settings_model(name: str) -> type[SourceSettings]:
    """The model of a source's settings."""
    model: type[SourceSettings] = _module(name, "connector").Settings
    return model


def build(
    name: str, settings: Mapping[str, Any], *, document: Document | None = None, under: tuple[str | int, ...] = ()
) -> Connector:
    """A source of connector `name`; ConfigError with every fault of `settings` and the valid choices.

    `document` and `under`: the file `settings` were read from and their key in it, so that faults carry their line.
    """
    model = settings_model(name)
    try:
        parsed = model.model_validate(dict(settings))
    except ValidationError as error:
        where = document or Document(f"source of {name}", settings, {})
        raise ConfigError(faults_of(error, where, under=under, model=model)) from None
    connector: Connector = _module(name, "connector").Connector(parsed)
    return connector


def webhook(name: str) -> Any | None:
    """The folder's webhook.py, see `connectors.kit.signing`; None where it has none: its vendor sends nothing."""
    return _module(name, "webhook") if (folder(name) / "webhook.py").exists() else None


def writing(name: str) -> Any | None:
    """The folder's writing.py, see `connectors.kit.writing`; None where nothing can be written."""
    return _module(name, "writing") if (folder(name) / "writing.py").exists() else None


def sandbox(name: str) -> Sandbox:
    """The vendor's stand-in, for tests and for `cshub demo`."""
    app: Sandbox = _module(name, "sandbox").app
    return app


def sandbox_settings(name: str, base_url: str, *, token: str) -> dict[str, Any]:
    """The settings by which a source reads the sandbox of `name`, served at `base_url` with `token`, as a whole."""
    settings: dict[str, Any] = _module(name, "sandbox").settings(base_url, token=token)
    return settings


def truth(name: str, world: World) -> Mapping[str, Collection[str]]:
    """{stream: keys of the records that are live in the end} of a right sync of `name`, where its vendor serves `world`."""
    keys: Mapping[str, Collection[str]] = _module(name, "sandbox").truth(world)
    return keys


def _module(name: str, part: str) -> Any:
    folder(name)
    return importlib.import_module(f"connectors.{name}.{part}")

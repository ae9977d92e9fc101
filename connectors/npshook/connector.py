"""A source that only receives: its settings, and a stream whose rows come by webhook."""

from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, SecretStr, model_validator

from connectors.kit.base import BadRowError, Page, Stream, Window
from connectors.kit.http import Client
from connectors.kit.manifest import Manifest
from connectors.kit.settings import SourceSettings
from connectors.npshook import mapping
from hub.model.records import SurveyResponse

MANIFEST = Manifest.of(Path(__file__).parent)


class Settings(SourceSettings):
    """See manifest.yaml for each."""

    base_url: str = MANIFEST.base_url
    signing: Literal["standard", "hmac", "secret"] = "standard"
    webhook_secret: SecretStr = Field(min_length=1)
    fields: dict[str, str] = Field(default={})
    constants: dict[str, str] = Field(default={})
    scores: dict[str, float] = Field(default={})

    @model_validator(mode="after")
    def _is_of_one_piece(self) -> Self:
        unknown = sorted({*self.fields, *self.constants} - set(mapping.FIELDS))
        if unknown:
            raise ValueError(f"there is no field {unknown[0]!r}; there are: {', '.join(mapping.FIELDS)}")
        if (kind := self.constants.get("type")) and kind not in mapping.TYPES:
            raise ValueError(f"type {kind!r} is none of: {', '.join(mapping.TYPES)}")
        if scale := self.constants.get("scale"):
            try:
                mapping.bounds(scale)
            except BadRowError as error:
                raise ValueError(str(error)) from None
        return self


class Connector:
    manifest = MANIFEST

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def client(self) -> Client:
        s = self.settings
        return Client(
            s.base_url, budget=MANIFEST.budget(s.base_url, s.webhook_secret.get_secret_value()), proxy=s.proxy
        )

    def streams(self) -> tuple[Stream, ...]:
        s = self.settings
        scores = {word.strip().lower(): score for word, score in s.scores.items()}
        to_record = partial(mapping.response, fields=s.fields, constants=s.constants, scores=scores)
        key = partial(mapping.id_of, fields=s.fields)
        return (Stream(name="responses", makes=(SurveyResponse,), pull=nothing, records=to_record, key=key),)


async def nothing(client: Client, window: Window) -> AsyncIterator[Page]:
    """There is nobody to ask: rows come by webhook."""
    none: tuple[Page, ...] = ()
    for page in none:
        yield page

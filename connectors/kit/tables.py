"""Settings that sources of tables share: which column of a row holds which field, and how delimited text is written."""

import codecs
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from connectors.kit.cells import Kind, Plan, check_fields, constants_of
from connectors.kit.delimited import Dialect


class TableSettings(BaseModel):
    """One kind of row: see `connectors.kit.cells.Plan`."""

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    record: Kind
    columns: dict[str, str] = Field(default_factory=dict)
    constants: dict[str, Any] = Field(default_factory=dict)
    key: tuple[str, ...] = Field(min_length=1)
    company_key: str | None = None
    updated_at: str | None = None

    @field_validator("key", mode="before")
    @classmethod
    def _one_or_several(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value

    @model_validator(mode="after")
    def _fields_exist(self) -> Self:
        check_fields(self.record, *self.columns, *self.constants)
        constants_of(self.record, self.constants)
        return self

    def plan(self) -> Plan:
        return Plan(
            kind=self.record,
            columns=self.columns,
            constants=constants_of(self.record, self.constants),
            key=self.key,
            company_key=self.company_key,
            updated_at=self.updated_at,
        )


class DelimitedSettings(BaseModel):
    """How a file of delimited text is written."""

    delimiter: str = Field(default=",", min_length=1, max_length=1)
    encoding: str = "utf-8"

    @field_validator("encoding")
    @classmethod
    def _is_an_encoding(cls, value: str) -> str:
        try:
            codecs.lookup(value)
        except LookupError:
            raise ValueError(f"there is no encoding {value!r}; examples: utf-8, utf-16, cp1252, latin-1") from None
        return value

    def dialect(self) -> Dialect:
        return Dialect(delimiter=self.delimiter, encoding=self.encoding)

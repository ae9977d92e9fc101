"""YAML documents that remember their lines, so that a fault can be shown where it stands.

`Document.read(path)` parses (bad YAML, or a key given twice, is a ConfigError with the line); `document.parse(Model)`
validates with pydantic and turns *all* of its errors into faults with file, line, dotted key and valid choices.

Only true and false are yes or no, as in YAML 1.2: a key `off`, the answer `no` and the country NO stay the texts they are.
"""

import re
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self, TypeVar, get_args

import yaml
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from hub.errors import ConfigError, Fault

Model = TypeVar("Model", bound=BaseModel)
Key = tuple[str | int, ...]


class _Strict(yaml.constructor.SafeConstructor):
    """Safe YAML; a key given twice in one mapping is an error instead of the last one winning silently."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, Hashable):
                raise yaml.constructor.ConstructorError(
                    None, None, "a key must be a text or a number", key_node.start_mark
                )
            if key in seen:
                raise yaml.constructor.ConstructorError(None, None, f"key {key!r} is given twice", key_node.start_mark)
            seen.add(key)
        return super().construct_mapping(node, deep)


class _Loader(_Strict, yaml.SafeLoader):
    """Words what is wrong."""


class _Fast(_Strict, getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # which it is depends on the machine
    """The same in C, several times as fast; it words faults differently."""


_BOOL = "tag:yaml.org,2002:bool"
for _each in (_Loader, _Fast):
    _each.yaml_implicit_resolvers = {
        first: [(tag, shape) for tag, shape in resolvers if tag != _BOOL]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    _each.add_implicit_resolver(_BOOL, re.compile(r"(?:true|True|TRUE|false|False|FALSE)\Z"), list("tTfF"))


def _parsed(text: str, kind: Any) -> tuple[yaml.Node | None, Any]:
    """The document's node, which knows its lines, and its value."""
    loader = kind(text)
    try:
        node = loader.get_single_node()
        return node, loader.construct_document(node) if node is not None else {}
    finally:
        loader.dispose()


@dataclass(frozen=True, slots=True)
class Document:
    """One YAML file: its value, and the line of every key in it."""

    name: str
    value: Any
    lines: Mapping[Key, int] = field(repr=False)

    @classmethod
    def read(cls, path: Path, *, name: str | None = None) -> Self:
        """Parse `path`; raise ConfigError where it is missing or no YAML. `name` is what faults call it."""
        name = name or _short(path)
        try:
            text = path.read_text(encoding="utf-8")
        except FileNotFoundError:
            raise ConfigError([Fault("no such file", where=name)]) from None
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError([Fault(f"cannot be read: {error}", where=name)]) from None
        return cls.from_text(text, name=name)

    @classmethod
    def from_text(cls, text: str, *, name: str) -> Self:
        try:
            try:
                node, value = _parsed(text, _Fast)
            except yaml.YAMLError:
                node, value = _parsed(text, _Loader)
        except yaml.MarkedYAMLError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else None
            begun = f"{error.context} begun on line {error.context_mark.line + 1}" if error.context_mark else None
            problem = ", ".join(part for part in (begun or error.context, error.problem) if part)
            raise ConfigError([Fault(f"is not valid YAML: {problem}", where=name, line=line)]) from None
        except yaml.YAMLError as error:
            raise ConfigError([Fault(f"is not valid YAML: {error}", where=name)]) from None
        lines: dict[Key, int] = {}
        if node is not None:
            _note_lines(node, (), lines)
        return cls(name, value, lines)

    def line(self, key: Sequence[str | int]) -> int | None:
        """Line of `key`, or of the nearest enclosing key that the file really has."""
        path = tuple(key)
        while path:
            if path in self.lines:
                return self.lines[path]
            path = path[:-1]
        return self.lines.get(())

    def fault(self, message: str, *, key: Sequence[str | int] = (), choices: Sequence[str] = ()) -> Fault:
        """A fault of this document at `key`."""
        return Fault(message, where=self.name, line=self.line(key), key=".".join(map(str, key)), choices=tuple(choices))

    def parse(self, model: type[Model]) -> Model:
        """The document as a `model`; raise ConfigError with every fault."""
        try:
            return model.model_validate(self.value)
        except ValidationError as error:
            raise ConfigError(faults_of(error, self, model=model)) from None


def faults_of(
    error: ValidationError, document: Document, *, under: Key = (), model: type[BaseModel] | None = None
) -> list[Fault]:
    """Pydantic's errors as faults of `document`, with the valid choices where there is a closed list of them.

    under  the key at which the validated part stands; model: what it was validated against, to name a key's neighbours
    """
    faults = []
    for detail in error.errors(include_url=False, include_input=False):
        location = detail["loc"]
        choices: tuple[str, ...] = ()
        key = under + tuple(part for part in location if (*under, part) in document.lines or not _is_tag(part))
        message = detail["msg"].removeprefix("Value error, ")
        if detail["type"] == "extra_forbidden":
            message, choices = "is not a setting here", _neighbours(model, location[:-1])
        elif detail["type"] == "missing":
            message = "is missing"
        elif detail["type"] in ("literal_error", "enum"):
            expected = str(detail.get("ctx", {}).get("expected", ""))  # "'a', 'b' or 'c'"
            message, choices = "is none of the valid choices", tuple(expected.split("'")[1::2])
        elif detail["type"] == "problem":  # a validator of ours that knows the choices itself
            choices = tuple(detail["ctx"]["choices"])
        else:
            message = _in_words(detail["type"], detail.get("ctx", {}), _examples(model, location)) or message
        faults.append(document.fault(message, key=key, choices=choices))
    return faults


WORDS: Mapping[str, str] = {
    "string": "must be text",
    "int": "must be a whole number",
    "float": "must be a number",
    "decimal": "must be a number",
    "finite": "must be a number",
    "bool": "must be true or false",
    "list": "must be a list",
    "tuple": "must be a list",
    "set": "must be a list",
    "frozen": "must be a list",
    "dict": "must be names with a value each (name: value)",
    "mapping": "must be names with a value each (name: value)",
    "model": "must be names with a value each (name: value)",
    "date": "must be a day such as 2026-01-31",
    "datetime": "must be a time such as 2026-01-31T08:00:00Z",
    "none": "must be empty",
    "greater_than_equal": "must be {ge} or more",
    "greater_than": "must be more than {gt}",
    "less_than_equal": "must be {le} or less",
    "less_than": "must be less than {lt}",
    "multiple_of": "must be a multiple of {multiple_of}",
    "string_pattern_mismatch": "must be of the form {pattern}",
}
"""Pydantic's kinds of errors, whole or their first word, in ours."""


def _in_words(kind: str, about: Mapping[str, Any], examples: Sequence[Any]) -> str | None:
    """What must be, instead of pydantic's words; None for a kind that brings words of its own, such as our validators'."""
    if kind == "string_pattern_mismatch" and examples:
        return f"must be of a form such as {' or '.join(map(str, examples))}"
    if kind.removeprefix("string_") in ("too_short", "too_long"):
        return _of_length(about, what="entries" if about.get("field_type", "Value") != "Value" else "characters")
    words = WORDS.get(kind) or WORDS.get(kind.partition("_")[0])
    # what a validator of ours says is a value_error; of a kind that has no words here, pydantic's are better than none
    return words.format_map({name: _number(value) for name, value in about.items()}) if words else None


def _of_length(about: Mapping[str, Any], *, what: str) -> str:
    if about.get("min_length") == 1:
        return "must not be empty"
    bound, length = ("at least", about["min_length"]) if "min_length" in about else ("at most", about["max_length"])
    return f"must have {bound} {length} {what if length != 1 else {'entries': 'entry'}.get(what, 'character')}"


def _number(value: Any) -> Any:
    """1 rather than 1.0: a bound is written as a person would."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _examples(model: type[BaseModel] | None, location: Sequence[str | int]) -> Sequence[Any]:
    """What the field at `location` names as examples."""
    found: FieldInfo | None = None
    for part in location:
        if model is not None and str(part) in model.model_fields:
            found = model.model_fields[str(part)]
            model = _model_in(found.annotation)
    if found is None:
        return ()
    infos = [found, *(part for part in _parts(found.annotation) if isinstance(part, FieldInfo))]
    return next((info.examples for info in infos if info.examples), ())


def _neighbours(model: type[BaseModel] | None, location: Sequence[str | int]) -> tuple[str, ...]:
    """The settings there are beside the one at `location`, as far as models, and lists and mappings of one, tell."""
    for part in location:
        if model is not None and str(part) in model.model_fields:
            model = _model_in(model.model_fields[str(part)].annotation)
    return tuple(model.model_fields) if model else ()


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The one model within `Model`, `Model | None`, `list[Model]`, `dict[str, Model]`; None for none and for several."""
    found = {part for part in _parts(annotation) if isinstance(part, type) and issubclass(part, BaseModel)}
    return found.pop() if len(found) == 1 else None


def _parts(annotation: Any) -> Iterator[Any]:
    """An annotation, and all it is made of."""
    yield annotation
    for part in get_args(annotation):
        yield from _parts(part)


def _is_tag(part: str | int) -> bool:
    """Pydantic puts the names of union members and validators among the keys of a location."""
    return isinstance(part, str) and ("[" in part or "(" in part)


def _short(path: Path) -> str:
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def _note_lines(node: yaml.Node, at: Key, lines: dict[Key, int]) -> None:
    lines.setdefault(at, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        for key_node, value_node in node.value:
            key = (*at, str(key_node.value))
            lines[key] = key_node.start_mark.line + 1
            _note_lines(value_node, key, lines)
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            lines[(*at, index)] = item.start_mark.line + 1
            _note_lines(item, (*at, index), lines)

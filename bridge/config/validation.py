"""A document read as a section, or all problems with their lines and expected forms."""

from difflib import get_close_matches
from typing import Any, Final, TypeVar, get_args

from pydantic import ValidationError

from bridge.config.document import Document, Location
from bridge.config.errors import ConfigError, Problem
from bridge.config.fields import Section
from bridge.config.urls import shown_key

S = TypeVar("S", bound=Section)

_SHAPES: Final = {"model_type": "a mapping", "dict_type": "a mapping", "list_type": "a list"}


def validated(document: Document, kind: type[S]) -> S:
    """The document as a section of this kind; raises ConfigError."""
    try:
        return kind.model_validate(document.tree if document.tree is not None else {})
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        raise ConfigError(
            problem for one in found for problem in _problems(document, kind, dict(one))
        ) from None


def _problems(document: Document, kind: type[Section], error: dict[str, Any]) -> list[Problem]:
    location: Location = error["loc"]
    if error["type"] == "extra_forbidden":
        return [document.problem(location, _unknown_key(kind, location))]
    if error["type"] in _SHAPES:
        texts = [f"expected {_SHAPES[error['type']]}"]
    else:
        texts = error["msg"].split("\n")
    return [document.problem(location, f"{dotted(location)}{text}") for text in texts]


def dotted(location: Location) -> str:
    """A place as `remote_read[0].url: `, nothing for the whole file."""
    path = "".join(f"[{one}]" if isinstance(one, int) else f".{shown_key(one)}" for one in location)
    return f"{path.removeprefix('.')}: " if path else ""


def _unknown_key(kind: type[Section], location: Location) -> str:
    """Prometheus' sentence, then what was perhaps meant."""
    *outer, key = location
    section = _section_at(kind, tuple(outer))
    known = _keys(section)
    near = get_close_matches(str(key), known, n=1, cutoff=0.7)
    hint = f"did you mean {near[0]}?" if near else f"expected one of {', '.join(known)}"
    if place := section.elsewhere.get(str(key)):
        hint = f"it belongs to {place}"
    return (
        f"{dotted(tuple(outer))}field {shown_key(str(key))} not found in type {section.go_type};"
        f" {hint}"
    )


def _keys(section: type[Section]) -> list[str]:
    return sorted(field.alias or name for name, field in section.model_fields.items())


def _section_at(kind: type[Section], location: Location) -> type[Section]:
    """The section that describes this place; list indices and map keys lead to the same section."""
    for part in location:
        field = next(
            (f for name, f in kind.model_fields.items() if (f.alias or name) == part), None
        )
        kind = _section_in(field.annotation) or kind if field else kind
    return kind


def _section_in(annotation: Any) -> type[Section] | None:
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return annotation
    return next(filter(None, map(_section_in, get_args(annotation))), None)

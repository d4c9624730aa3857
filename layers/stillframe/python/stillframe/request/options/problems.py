"""Validation errors of options as messages that name the option and its range."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic.alias_generators import to_camel


def describe_problems(error: ValidationError, model: type[BaseModel]) -> str:
    """Every problem that the validation found, in one line. Values are never quoted: they may be secrets."""
    return "; ".join(_describe(item, model) for item in error.errors(include_input=False))


def _describe(item: Any, model: type[BaseModel]) -> str:
    name = ".".join(str(part) for part in item["loc"])
    message = str(item["msg"]).removeprefix("Value error, ")
    if item["type"] == "extra_forbidden":
        known = ", ".join(sorted(to_camel(field) for field in _model_at(item["loc"][:-1], model).model_fields))
        return f"{name} is not an option (known: {known})"
    bounds = _bounds(item["loc"], model)
    return f"{name}: {message}{bounds}" if name else message


def _model_at(location: tuple[Any, ...], model: type[BaseModel]) -> type[BaseModel]:
    """The model that a part of the location stands in, because its options differ from those of the whole."""
    for part in location:
        field = next((value for key, value in model.model_fields.items() if to_camel(key) == part), None)
        kinds = (field.annotation, *getattr(field.annotation, "__args__", ())) if field is not None else ()
        model = next((kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)), model)
    return model


def _bounds(location: tuple[Any, ...], root: type[BaseModel]) -> str:
    """The full range of an option, because `less than 101` alone leaves users to guess the other end."""
    field: Any = None
    model: Any = root
    for part in location:
        fields = {to_camel(key): value for key, value in getattr(model, "model_fields", {}).items()}
        if part not in fields:
            break
        field = fields[part]
        model = field.annotation
    limits = {type(meta).__name__.lower(): meta for meta in _metadata(field)}
    if "ge" in limits and "le" in limits:
        return f" (range {limits['ge'].ge} to {limits['le'].le})"
    return ""


def _metadata(field: Any) -> list[Any]:
    if field is None:
        return []
    if field.metadata:
        return list(field.metadata)
    # `Annotated[int, ...] | None` has its limits one level down, in a member of the union.
    members = getattr(field.annotation, "__args__", ())
    limits = (info for member in members for info in getattr(member, "__metadata__", ()))
    return [meta for info in limits for meta in getattr(info, "metadata", ())]

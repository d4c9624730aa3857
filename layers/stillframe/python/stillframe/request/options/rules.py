"""What an option may be, in words, taken from its JSON schema."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel
from pydantic.alias_generators import to_camel

Schema = dict[str, Any]


class Rules:
    """The rules of one model and of the models in it."""

    def __init__(self, model: type[BaseModel]) -> None:
        self._root: Schema = model.model_json_schema()

    def at(self, path: Sequence[str | int]) -> str:
        """What the value at this path may be: `a whole number (range 1 to 100)`. Empty if there is no such path."""
        found = self._find(path)
        return self._describe(found) if found else ""

    def members(self, path: Sequence[str | int]) -> list[str]:
        """The names that the object at this path may have."""
        found = self._find(path)
        return [name for each in self._choices(found or {}) for name in each.get("properties", {})]

    def _find(self, path: Sequence[str | int]) -> Schema | None:
        found: Schema | None = self._root
        for part in path:
            found = self._member(found, part) if found else None
        return found

    def _member(self, schema: Schema, part: str | int) -> Schema | None:
        for each in self._choices(schema):
            named = each.get("properties", {})
            inner = named.get(part) or named.get(to_camel(str(part))) or each.get("items")
            # An object with any names: `true` if it may also have any values.
            inner = inner or each.get("additionalProperties")
            if isinstance(inner, dict):
                return inner
        return None

    def _choices(self, schema: Schema) -> list[Schema]:
        """The schemas that a value may match, without references and without null."""
        if "$ref" in schema:
            name = schema["$ref"].rpartition("/")[2]
            return self._choices(self._root["$defs"][name])
        if "anyOf" in schema:
            return [choice for each in schema["anyOf"] for choice in self._choices(each)]
        return [] if schema.get("type") == "null" else [schema]

    def _describe(self, schema: Schema) -> str:
        return ", or ".join(self._describe_one(each) for each in self._choices(schema))

    def _describe_one(self, schema: Schema) -> str:
        if "enum" in schema:
            return f"one of {', '.join(map(str, schema['enum']))}"
        describe = {
            "boolean": lambda _: "true or false",
            "integer": lambda number: f"a whole number{_range(number)}",
            "number": lambda number: f"a number{_range(number)}",
            "array": self._list,
            "object": _object,
        }.get(str(schema.get("type")), _text)
        return describe(schema)

    def _list(self, schema: Schema) -> str:
        least, most = schema.get("minItems", 0), f" of up to {schema['maxItems']}" if "maxItems" in schema else ""
        if least and most:
            most = f" of {least} to {schema['maxItems']}"
        return f"a list{most}, each {self._describe(schema['items'])}"


def _range(schema: Schema) -> str:
    return f" (range {schema['minimum']} to {schema['maximum']})" if "minimum" in schema else ""


def _text(schema: Schema) -> str:
    # The description of an object is that of its class, but the one of a text is what it may be.
    if "description" in schema:
        return str(schema["description"])
    least, most = schema.get("minLength", 0), schema.get("maxLength")
    if most is None:
        return "text"
    return f"text of {least} to {most} characters" if least else f"text of up to {most} characters"


def _object(schema: Schema) -> str:
    names = list(schema.get("properties", ()))
    if names:
        return f"an object with {', '.join(names[:-1])} and {names[-1]}" if names[1:] else f"an object with {names[0]}"
    most = f" of up to {schema['maxProperties']} names" if "maxProperties" in schema else ""
    return f"an object{most}"

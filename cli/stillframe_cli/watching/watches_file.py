"""A file that declares watches, in YAML."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from stillframe.watches.declared import Declared, of_type


def read_watches(path: Path) -> list[Declared]:
    """The watches of a YAML file: `watches:` with a mapping of names. Raises ValueError, which names file and watch."""
    try:
        # A byte order mark is how some editors begin a file in UTF-8.
        content = yaml.load(path.read_text("utf-8-sig"), _Loader)  # noqa: S506  # a SafeLoader
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"{path} is no YAML: {error}") from error
    watches = content.get("watches") if isinstance(content, dict) else None
    if not isinstance(watches, dict) or content.keys() != {"watches"}:
        raise ValueError(f"{path} must have `watches:`, and below it a name for each watch; nothing else")
    found = []
    for name, values in watches.items():
        try:
            # YAML reads no, 12 and 2026-01-31 as something else than texts.
            found.append(Declared.of(of_type("the name (put it in quotation marks)", name, str), _watch(values)))
        except ValueError as error:
            raise ValueError(f"{path}: {name}: {error}") from error
    return found


class _Loader(yaml.SafeLoader):
    """Refuses a key that is there twice, of which YAML's readers keep the last one."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """The mapping. Raises yaml.YAMLError, which says where the second one is."""
        seen: set[str] = set()
        for key, _ in node.value:
            if key.value in seen and isinstance(key.value, str):
                raise yaml.constructor.ConstructorError(None, None, f"{key.value} is there twice", key.start_mark)
            seen.add(str(key.value))
        return super().construct_mapping(node, deep)


def _watch(values: object) -> dict[str, Any]:
    watch: dict[str, Any] = of_type("the watch", values, dict)
    return watch

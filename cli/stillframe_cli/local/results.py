"""results.jsonl: one line for each result, written when it ends. A later run finds there what is done."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterable
from typing import Any

from stillframe.outcome import OutcomeKind

from .folder import OutputFolder

RESULTS_NAME = "results.jsonl"
# The name of the request's key in a line.
KEY = "key"
# The keys of lines that were no requests begin with it.
REFUSED = "refused "
# A power failure costs at most the results of this time, which the next run takes again.
SYNC_SECONDS = 1.0

Result = dict[str, Any]


def refused_key(result: Result) -> str:
    """The key of a line that was no request."""
    return f"{REFUSED}{result['place']}"


class SavedResults:
    """The results in a directory by the key of their request. The last line for a key is the one that counts."""

    def __init__(self, folder: OutputFolder) -> None:
        self._folder = folder
        self._by_key: dict[str, Result] = {}
        self._synced_at = 0.0
        self.is_new = not (folder.path / RESULTS_NAME).exists()
        if not self.is_new:
            self._load()

    def finished(self, key: str) -> Result | None:
        """Return the result of a request whose image is there, whole, or None."""
        result = self._by_key.get(key)
        if result is None or result.get("outcome") == OutcomeKind.FAILED.value or not result.get("file"):
            return None
        is_whole = self._folder.size_of(result["file"]) == result.get("bytes")
        return result if is_whole and all(self._folder.size_of(name) is not None for name in _beside(result)) else None

    def stem(self, key: str) -> str | None:
        """The name, without extension, of the image that the directory has for a request."""
        file = (self._by_key.get(key) or {}).get("file")
        return str(file).rpartition(".")[0] if file else None

    def stems(self) -> set[str]:
        """The names of all images in the directory's results, without extensions."""
        return {stem for key in self._by_key if (stem := self.stem(key))}

    def forget(self) -> None:
        """Delete all results with their files. Raises RunStopped."""
        for result in self._by_key.values():
            for name in (result.get("file"), *_beside(result)):
                if name:
                    self._folder.remove(name)
        self._by_key.clear()

    def add(self, key: str, result: Result) -> None:
        """Append a result. Raises RunStopped."""
        line = {KEY: key, **result}
        now = time.monotonic()
        is_due = now - self._synced_at >= SYNC_SECONDS
        self._folder.append(RESULTS_NAME, json.dumps(line, ensure_ascii=False), is_durable=is_due)
        if is_due:
            self._synced_at = now
        self._by_key[key] = line

    def rewrite(self, order: Iterable[str]) -> None:
        """Replace the file by one line for each key, those in `order` last and in that order. Raises RunStopped."""
        wanted = dict.fromkeys(order)
        keys = [*(key for key in self._by_key if key not in wanted), *(key for key in wanted if key in self._by_key)]
        self._by_key = {key: self._by_key[key] for key in keys}
        lines = [json.dumps(result, ensure_ascii=False) for result in self._by_key.values()]
        self._folder.write(RESULTS_NAME, "".join(f"{line}\n" for line in lines).encode())

    def all(self) -> list[Result]:
        """All results, one for each key."""
        return list(self._by_key.values())

    def _load(self) -> None:
        text = (self._folder.path / RESULTS_NAME).read_text(encoding="utf-8", errors="replace")
        for line in text.split("\n"):
            # A run that was killed may have left half a line; the page is captured again.
            with contextlib.suppress(ValueError):
                result = json.loads(line)
                if not isinstance(result, dict):
                    continue
                key = result.get(KEY) or result.get("payloadHash") or result.get("id")
                if result.get("file"):
                    # As seen from where this run was started.
                    result["path"] = str(self._folder.path / result["file"])
                if str(key).startswith(REFUSED):
                    # The file that is read now may have been mended.
                    continue
                self._by_key.pop(str(key), None)
                self._by_key[str(key)] = {**result, KEY: str(key)}
        if text and not text.endswith("\n"):
            self.rewrite(())


def _beside(result: Result) -> list[str]:
    """The names of the files beside an image."""
    return [name for kind in ("extraFiles", "shotFiles") for name in (result.get(kind) or {}).values()]

"""Plausible mistakes in storing and adopting images, which the simulation must catch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from stillframe.image.ownership import Owner
from stillframe.image.render_result import RenderResult, StoredImage
from stillframe.image.shot import FILE_PREFIX, MANIFEST_FILE
from stillframe.image.store import ImageStore


class OverwritesObjects(ImageStore):
    """Puts without If-None-Match."""

    def __init__(self, client: Any, bucket: str, prefix: str) -> None:
        super().__init__(_WithoutIfNoneMatch(client), bucket, prefix)  # type: ignore[arg-type]


class _WithoutIfNoneMatch:
    def __init__(self, client: Any) -> None:
        self._client = client

    def put_object(self, IfNoneMatch: str, **arguments: Any) -> Any:
        return self._client.put_object(**arguments)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)


class AssumesItsOwnImage(ImageStore):
    """When the key exists, assumes that the stored object is its own instead of checking it."""

    def put(self, owner: Owner, result: RenderResult) -> tuple[StoredImage, bool]:
        self._own = self._describe(owner.screenshot_id, owner.claim_token, result)
        return super().put(owner, result)

    def find(self, owner: Owner, image_format: Any) -> StoredImage | None:
        return self._own

    _own: StoredImage | None = None


class AdoptsAnyImage(ImageStore):
    """Adopts an image by its screenshot id alone, whichever request it was rendered for."""

    def find(self, owner: Owner, image_format: Any) -> StoredImage | None:
        return super().find(_Anybody(owner.screenshot_id, owner.payload_hash, owner.claim_token), image_format)


class _Anybody(Owner):
    def check(self, key: str, metadata: Mapping[str, str]) -> None:
        pass


class StoresExtrasLast(ImageStore):
    """Stores the extras after the image instead of before it."""

    def put(self, owner: Owner, result: RenderResult) -> tuple[StoredImage, bool]:
        stored = super().put(owner, result)
        for extra in result.extras:
            super()._write_beside(owner, extra.file, extra.data, extra.headers)
        return stored

    def _write_beside(self, owner: Owner, file: str, data: bytes, headers: Mapping[str, str]) -> None:
        if file.startswith((FILE_PREFIX, MANIFEST_FILE)):
            super()._write_beside(owner, file, data, headers)


class KeepsExtrasById(ImageStore):
    """Stores the extras of an id under one key, whichever render they come from."""

    def extra_key(self, screenshot_id: str, claim_token: str, file: str) -> str:
        is_shot = file.startswith((FILE_PREFIX, MANIFEST_FILE))
        return super().extra_key(screenshot_id, claim_token if is_shot else "extras", file)


class StoresShotsLast(ImageStore):
    """Stores the manifest before the image, and the shots after it."""

    def put(self, owner: Owner, result: RenderResult) -> tuple[StoredImage, bool]:
        stored = super().put(owner, result)
        for shot in result.shots:
            super()._write_beside(owner, shot.file, shot.data, {"ContentType": shot.format.content_type})
        return stored

    def _write_beside(self, owner: Owner, file: str, data: bytes, headers: Mapping[str, str]) -> None:
        if not file.startswith(FILE_PREFIX):
            super()._write_beside(owner, file, data, headers)


class KeepsShotsById(ImageStore):
    """Stores the shots of an id under one key, whichever render they come from."""

    def extra_key(self, screenshot_id: str, claim_token: str, file: str) -> str:
        return super().extra_key(screenshot_id, "shots" if file.startswith(FILE_PREFIX) else claim_token, file)


class ListsItsOwnShots(ImageStore):
    """Completes the record of an adopted image with the shots of its own render."""

    def put(self, owner: Owner, result: RenderResult) -> tuple[StoredImage, bool]:
        own = self._describe(owner.screenshot_id, owner.claim_token, result)
        stored, is_adopted = super().put(owner, result)
        return replace(stored, shots=own.shots), is_adopted

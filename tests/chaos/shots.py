"""Readers of shots: whoever reads a record, at any moment, finds all shots of one attempt, or none."""

from __future__ import annotations

import hashlib
import random
import sys
from collections import Counter
from typing import Any

from stillframe.archive import Archive
from stillframe.image.ownership import CLAIM_TOKEN
from stillframe.image.shot import MANIFEST, MANIFEST_FILE
from stillframe.request.capture_request import CaptureRequest
from stillframe.table.record import Record, Status
from tests.support.cloud import Cloud

# One request of so many has shots.
EVERY = 3
SHOTS: list[dict[str, Any]] = [
    {"name": "narrow", "viewport": {"width": 32, "height": 48}},
    {"name": "part", "clip": {"width": 16, "height": 16}, "format": "webp"},
]


def options_of(number: int) -> dict[str, Any]:
    """The options of a request, by its number."""
    tiny = {"viewport": {"width": 64, "height": 48}}
    return {**tiny, "shots": SHOTS} if number % EVERY == 0 else tiny


class ShotReader:
    """Reads records while they are captured, and all of them at the end."""

    def __init__(self, cloud: Cloud, rng: random.Random) -> None:
        self._cloud = cloud
        self._archive = Archive(cloud.clients, cloud.settings)
        self._rng = rng
        self.counts = Counter(shotReads=0, shotsSeen=0, shotsTorn=0)

    def read_one(self, requests: list[CaptureRequest]) -> None:
        """Read the record of any request that has shots."""
        self._read(self._rng.choice(requests[::EVERY]).id)

    def read_all(self, requests: list[CaptureRequest]) -> None:
        """Read the record of every request that has shots."""
        for request in requests[::EVERY]:
            self._read(request.id)

    def _read(self, screenshot_id: str) -> None:
        record = self._archive.record(screenshot_id)
        self.counts["shotReads"] += 1
        if record is None or (record.status is not Status.SUCCESS and not record.shots):
            return
        problem = self._problem(record)
        self.counts["shotsSeen"] += len(record.shots or ())
        if problem is not None:
            self.counts["shotsTorn"] += 1
            print(f"chaos: {screenshot_id}: {problem}", file=sys.stderr)

    def _problem(self, record: Record) -> str | None:
        names = [shot.name for shot in record.shots or ()]
        if names != [shot["name"] for shot in SHOTS]:
            return f"the record has the shots {names}"
        s3, bucket = self._cloud.clients.s3, self._cloud.settings.bucket_name
        metadata = s3.head_object(Bucket=bucket, Key=record.s3_key or "")["Metadata"]
        folders = {shot.s3_url.rpartition("/")[0] for shot in record.shots or ()}
        (folder,) = folders if len(folders) == 1 else ("",)
        if not folder.endswith(f"/{metadata[CLAIM_TOKEN]}"):
            return f"the shots are in {folders}, the image is of {metadata[CLAIM_TOKEN]}"
        if _sha256(self._archive.object_at(f"{folder}/{MANIFEST_FILE}")) != metadata[MANIFEST]:
            return "the manifest is another one"
        for shot in record.shots or ():
            if _sha256(self._archive.object_at(shot.s3_url)) != shot.sha256:
                return f"the shot {shot.name} has other bytes"
        return None


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()

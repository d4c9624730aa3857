"""What a record that is a success promises about its image, and about what was stored with it."""

from __future__ import annotations

from typing import Any

from stillframe.image.page_facts import COMPARISON_EXTRAS

from .aws.bucket import SimulatedBucket, Version
from .browser import rendered_for, shots_of
from .promise import Promise


def image_problem(bucket: SimulatedBucket, record: dict[str, Any]) -> tuple[Promise, str] | None:
    """The promise that a record breaks, and the object with which it does."""
    key = record.get("s3Key", "")
    image = _at(bucket, key)
    if image is None or image.sha256 != record.get("sha256"):
        return Promise.SAME_IMAGE, f"{key}, which holds another image or does not exist"
    if not image.data.endswith(rendered_for(record["url"], record["options"])):
        return Promise.OWN_IMAGE, f"{key}, which was rendered for another"
    for kind, url in record.get("extras", {}).items():
        extra = _at(bucket, url.split("/", 3)[3])
        if extra is None or (extra.data != image.data and kind not in COMPARISON_EXTRAS):
            return Promise.SAME_RENDER, f"{url}, which is missing or from another render"
    return _shots_problem(bucket, record, image)


def _shots_problem(bucket: SimulatedBucket, record: dict[str, Any], image: Version) -> tuple[Promise, str] | None:
    """As a reader would, by the record alone: every shot is there, and there are as many as its render has made."""
    shots, rendered = record.get("shots", []), shots_of(image.data)
    if len(shots) != len(rendered):
        return Promise.SAME_SHOTS, f"{len(shots)} of {len(rendered)} shots"
    for shot, data in zip(shots, rendered, strict=True):
        stored = _at(bucket, shot["s3Url"].split("/", 3)[3])
        if stored is None or stored.data != data or stored.sha256 != shot["sha256"]:
            return Promise.SAME_SHOTS, f"{shot['s3Url']}, which is missing or from another render"
    return None


def _at(bucket: SimulatedBucket, key: str) -> Version | None:
    versions = bucket.versions.get(key, [])
    return versions[-1] if versions else None

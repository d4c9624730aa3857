"""The options of shots: what they inherit, and every conflict, refused with the names of both."""

from __future__ import annotations

import pytest

from stillframe.errors import InvalidRequest
from stillframe.event_detail import MAX_DETAIL_BYTES, EventDetail
from stillframe.image.shot import ShotFacts, StoredShot, manifest_of, read_manifest
from stillframe.request.capture_request import CaptureRequest
from stillframe.request.options import MAX_SHOTS, ImageFormat, RenderOptions, Viewport
from stillframe.table.record import Record, Status

PHONE = {"name": "phone", "viewport": {"width": 390, "height": 844}}


def resolved(shot: dict[str, object], **options: object) -> RenderOptions:
    """The options with which a shot of a request is taken."""
    parsed = RenderOptions.parse({**options, "shots": [{"name": "a", **shot}]})
    return parsed.of_shot(parsed.shots[0])


def test_a_shot_is_as_the_request_unless_it_says_otherwise() -> None:
    common = {"fullPage": True, "maxHeight": 3000, "format": "webp", "quality": 80, "mask": ["#a"], "delayMs": 5}
    shot = resolved({"viewport": {"width": 390, "height": 844}}, **common)
    assert (shot.viewport, shot.full_page, shot.max_height) == (Viewport(width=390, height=844), True, 3000)
    assert (shot.format, shot.quality, shot.mask) == (ImageFormat.WEBP, 80, ("#a",))


def test_a_part_of_its_own_takes_the_place_of_the_requests() -> None:
    common = {"selector": ["#a"], "matches": "all", "padding": 5}
    shot = resolved({"fullPage": True}, **common)
    assert (shot.full_page, shot.selector, shot.matches, shot.padding) == (True, None, "first", 0)
    shot = resolved({"selector": "#b"}, fullPage=True, maxHeight=500)
    assert (shot.full_page, shot.max_height, shot.selectors) == (False, 16_384, ("#b",))
    assert resolved({"fullPage": False}, clip={"width": 5, "height": 5}).clip is None


def test_what_another_encoding_has_no_use_for_is_not_inherited() -> None:
    shot = resolved({"format": "png"}, format="jpeg", quality=80)
    assert (shot.format, shot.quality) == (ImageFormat.PNG, None)
    assert resolved({"format": "jpeg"}, omitBackground=True).omit_background is False


def test_a_shot_has_no_files_of_its_own() -> None:
    common = {"thumbnail": {"width": 100}, "save": ["html"], "perceptualHash": True, "compareTo": "previous"}
    shot = resolved({"fullPage": True}, **common, selector="#a", separate=True)
    assert (shot.thumbnail, shot.save, shot.perceptual_hash, shot.compare_to) == (None, (), False, None)
    assert (shot.separate, shot.shots) == (False, ())


def test_a_device_gives_a_shot_its_window_alone() -> None:
    shot = resolved({"device": "iphone-15"})
    assert (shot.viewport, shot.device_scale_factor) == (Viewport(width=393, height=852), 3.0)
    assert (shot.mobile, shot.touch, shot.user_agent) == (False, False, None)
    assert resolved({"device": "iphone-15", "deviceScaleFactor": 1.0}).device_scale_factor == 1.0
    assert resolved({"device": "laptop"}, deviceScaleFactor=2.0).device_scale_factor == 1.0


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"shots": [{"name": "a"}]}, ["shots.0", "a would be the image itself"]),
        ({"shots": [PHONE, {"name": "b", "fullPage": True}, PHONE]}, ["shots.0 and shots.2 conflict", "phone"]),
        ({"shots": [{"name": "a", "fullPage": True, "selector": "b"}]}, ["shots.0", "selector and fullPage conflict"]),
        ({"shots": [{**PHONE, "device": "laptop"}]}, ["shots.0", "device and viewport conflict"]),
        ({"shots": [{"name": "a", "quality": 3}]}, ["shots.0", "quality needs format"]),
        ({"format": "png", "shots": [{"name": "a", "quality": 3}]}, ["quality and format conflict"]),
        ({"shots": [{"name": "a", "format": "jpeg", "omitBackground": True}]}, ["omitBackground and format conflict"]),
        ({"shots": [{"name": "a", "padding": 3}]}, ["shots.0", "padding needs selector"]),
        ({"shots": [{"name": "a", "maxHeight": 300}]}, ["shots.0", "maxHeight needs fullPage"]),
        ({"format": "pdf", "shots": [PHONE]}, ["shots and format conflict", "pdf"]),
        ({"shots": [{"name": "a", "format": "pdf"}]}, ["shots.0.format", "one of png, jpeg, webp, avif"]),
        ({"maxPixels": 2_000_000, "shots": [{"name": "a", "deviceScaleFactor": 3.0}]}, ["shots.0", "9,216,000 pixels"]),
        ({"shots": [{"name": "a", "userAgent": "b"}]}, ["shots.0.userAgent is not an option"]),
        ({"shots": [{"name": "a", "device": "toaster"}]}, ["shots.0.device", "pixel-8"]),
        ({"shots": [{"fullPage": True}]}, ["shots.0.name is missing", "1 to 40 of a-z 0-9 -"]),
        ({"shots": [{"name": "A b", "fullPage": True}]}, ["shots.0.name", "1 to 40 of a-z 0-9 -"]),
        ({"shots": [{"name": "-a", "fullPage": True}]}, ["shots.0.name", "not starting with a hyphen"]),
        ({"shots": [{"name": "a" * 41, "fullPage": True}]}, ["shots.0.name"]),
        ({"shots": [{"name": f"a{n}", "fullPage": True} for n in range(21)]}, ["shots", "a list of up to 20"]),
    ],
)
def test_a_shot_that_cannot_be_taken_is_refused_with_its_reason(options: dict[str, object], words: list[str]) -> None:
    with pytest.raises(InvalidRequest) as refused:
        RenderOptions.parse(options)
    assert [word for word in words if word not in refused.value.message] == []


def test_shots_are_part_of_what_a_request_is() -> None:
    def hashed(*shots: object) -> str:
        return CaptureRequest(url="https://example.com/", options={"shots": list(shots)}).payload_hash

    assert hashed(PHONE) != hashed({**PHONE, "name": "tablet"})
    assert hashed() == CaptureRequest(url="https://example.com/").payload_hash


def stored(name: str) -> StoredShot:
    """As large as a line of the manifest gets."""
    facts = ShotFacts(
        name=name,
        viewport=Viewport(width=4096, height=8192),
        device_scale_factor=2.625,
        device="iphone-15-pro-max",
        not_emulated=["mobile", "touch", "userAgent"],
        page_height=1_000_000,
        height_capped=True,
        blank=True,
        unsettled="blockCookieBanners",
    )
    place = {"s3_url": f"s3://{'b' * 63}/screenshots/ab/{'i' * 128}/{'c' * 36}/shot-{name}.webp"}
    size = {"content_type": "image/webp", "bytes": 10**8, "width": 16_383, "height": 60_000, "sha256": "0" * 64}
    return StoredShot(**facts.model_dump(), **place, **size)


def test_a_manifest_is_read_back() -> None:
    shots = [stored("a"), stored("b").model_copy(update={"blank": None, "device": None})]
    assert read_manifest(manifest_of(shots)) == shots


def test_as_many_shots_as_there_can_be_fit_a_record_and_an_event() -> None:
    shots = [stored(f"{'n' * 38}{number:02}") for number in range(MAX_SHOTS)]
    record = Record(id="i" * 128, status=Status.SUCCESS, shots=shots)
    assert len(str(record.to_wire()["shots"])) < 20_000 < MAX_DETAIL_BYTES / 10
    assert EventDetail(**record.model_dump(), event_id="e").to_wire()["shots"] == record.to_wire()["shots"]

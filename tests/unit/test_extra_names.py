"""The names of extra objects in an image's metadata, which S3 limits."""

from __future__ import annotations

import pytest

from stillframe.image.extra import files_from_metadata, files_to_metadata
from stillframe.image.page_facts import MAX_METADATA_URL, PageFacts
from stillframe.image.shot import MANIFEST

# Amazon S3 User Guide, "Working with object metadata": 2 KB of user-defined metadata, keys included.
MAX_METADATA_BYTES = 2048
OTHERS = ["thumbnail.webp", "page.html", "page.txt", "page.mhtml", "page.har", "page.links.json", "difference.png"]
ELEMENTS = [f"element-{number}.webp" for number in range(1, 51)]


@pytest.mark.parametrize("files", [[], OTHERS, ELEMENTS, ["element-1.png"], [*ELEMENTS, *OTHERS]])
def test_the_names_are_read_back(files: list[str]) -> None:
    assert sorted(files_from_metadata(files_to_metadata(files))) == sorted(files)


def test_names_as_earlier_versions_wrote_them_are_read() -> None:
    assert list(files_from_metadata("thumbnail.webp,page.html")) == ["thumbnail.webp", "page.html"]


def test_the_metadata_of_an_image_with_all_extras_is_accepted_by_s3() -> None:
    # Given the longest facts that are kept, and as many extras as a request can ask for
    facts = PageFacts.model_construct(
        http_status=200,
        final_url="u" * MAX_METADATA_URL,
        title="t" * 2000,
        page_height=60000,
        height_capped=True,
        perceptual_hash="0" * 16,
        compared_to="i" * 128,
        changed=False,
        changed_since="j" * 128,
        unconfirmed=True,
        follows="k" * 128,
        difference=0.1234567890123456,
    )
    # When they are put together with what every image has
    metadata = {"id": "i" * 128, "claim-token": "c" * 36, "sha256": "0" * 64, "payload-hash": "0" * 64}
    metadata |= {"width": "16383", "height": "16383", **facts.to_metadata()}
    metadata["extras"] = files_to_metadata([*ELEMENTS, *OTHERS])
    metadata[MANIFEST] = "0" * 64
    # Then they are within the limit
    assert sum(len(name) + len(value) for name, value in metadata.items()) <= MAX_METADATA_BYTES

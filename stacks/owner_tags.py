"""The tags that the owner wants on every resource, given as texts of the form NAME=VALUE."""

from __future__ import annotations

import re
from collections.abc import Iterable

# What all services accept ("Best practices for tagging AWS resources", and Amazon S3's own narrower set).
TAG = re.compile(r"(?P<name>[\w .:/+@-]{1,128})=(?P<value>[\w .:/=+@-]{0,256})\Z")
# A resource has 50 tags at most, and CloudFormation, CDK and ECS add some.
MAX_TAGS = 40
# On every resource, besides the owner's.
APPLICATION_TAG = "application"


def parse_tags(texts: Iterable[str]) -> dict[str, str]:
    """The values by their names. Raises ValueError, which names the text that AWS would refuse."""
    tags: dict[str, str] = {}
    for text in texts:
        found = TAG.match(text)
        if found is None:
            raise ValueError(
                f"tags: {text!r} is not NAME=VALUE with up to 128 and 256 letters, digits, spaces or . : / = + - @ _"
            )
        name = found["name"]
        if name.lower().startswith("aws:") or name == APPLICATION_TAG:
            raise ValueError(f"tags: the name {name} is reserved")
        if name in tags:
            raise ValueError(f"tags: {name} is given twice")
        tags[name] = found["value"]
    if len(tags) > MAX_TAGS:
        raise ValueError(f"tags: there are {len(tags)}, and {MAX_TAGS} is the maximum")
    return tags

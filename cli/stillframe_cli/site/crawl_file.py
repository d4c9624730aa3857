"""crawl.json: what a run has to remember that its results do not say, so that it can go on after any end."""

from __future__ import annotations

import json
import secrets
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from ..local.folder import OutputFolder

CRAWL_NAME = "crawl.json"


class RobotsAnswer(BaseModel):
    """The robots.txt of an origin as it was when the run first came there. `problem` is why it could not be read."""

    text: str = ""
    problem: str = ""


class CrawlFile(BaseModel):
    """Written before anything is sent that depends on it, each time as a whole.

    `payload_hash` is that of the start page's request, whose options may contain secrets and are not here. `listed` are
    the pages of the site's sitemaps; None until they are read.
    """

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="ignore")

    name: str
    url: str
    payload_hash: str
    robots: dict[str, RobotsAnswer] = Field(default_factory=dict)
    listed: list[str] | None = None

    @classmethod
    def read(cls, folder: OutputFolder) -> Self | None:
        """What the directory has; None if it has none. Raises ValueError if that cannot be read."""
        try:
            text = (folder.path / CRAWL_NAME).read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            raise ValueError(
                f"{folder.path / CRAWL_NAME} is damaged; delete it, or choose another directory"
            ) from error

    def write(self, folder: OutputFolder) -> None:
        """Replace the file. Raises RunStopped."""
        text = json.dumps(self.model_dump(mode="json", by_alias=True), ensure_ascii=False)
        folder.write(CRAWL_NAME, text.encode(errors="replace"))


def new_name() -> str:
    """A name for a run that has none."""
    return secrets.token_hex(6)

"""The page with a slider through time: which files it shows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

from stillframe.archive import Archive
from stillframe.table.record import Record, Status
from stillframe.watches.declared import Declared
from stillframe.watches.history import Period
from stillframe.watches.watch import Watch
from stillframe_cli.local.folder import OutputFolder
from stillframe_cli.watching.timeline import Line, Timeline

HOUR_MS = 3_600_000
START_MS = 1_767_225_600_000  # 2026-01-01T00:00:00Z
URL = "https://example.com/"


class Bucket:
    """Images of which each says what it is of."""

    def image(self, record: Record) -> bytes:
        return f"image {record.sha256}".encode()

    def object_at(self, url: str) -> bytes:
        return f"marked {url}".encode()


def periods(images: str) -> list[Period]:
    """A page with one letter for what it looks like in each hour, the latest first, as `history` reads them."""
    watch = Watch.new(Declared.of("shop", {"urls": [URL], "every": "1h", "compare": True}), START_MS)
    found = []
    for hour, (before, image) in enumerate(zip(" " + images, images, strict=False)):
        values: dict[str, Any] = {
            "id": str(hour),
            "status": Status.SUCCESS,
            "s3_key": f"{hour}.png",
        }
        if hour and before != image:
            values |= {"changed": True, "extras": {"difference": f"s3://images/{before}-{image}.png"}}
        found.append(Period(watch, URL, START_MS + hour * HOUR_MS, Record(sha256=image * 64, **values), True))
    return found[::-1]


def test_each_change_is_marked_as_it_was(tmp_path: Path) -> None:
    # Given a page that comes to look the same again, once after one look and once after another
    with OutputFolder.open(tmp_path / "history") as folder:
        # When its history is written
        page = Timeline(cast(Archive, Bucket()), folder).write("shop", [Line(URL, periods("abaca"))])
    text = page.read_text()
    lines = json.loads(text.partition('type="application/json" id="lines">')[2].partition("</script>")[0])
    marked = [(folder.path / each["marked"]).read_text() for each in lines[0]["periods"] if each.get("marked")]
    # Then each change is shown as that period had it
    assert marked == [f"marked s3://images/{change}.png" for change in ("a-b", "b-a", "a-c", "c-a")]
    # And what looks the same is stored once
    assert len({each["file"] for each in lines[0]["periods"]}) == 3

"""How large the image is and by what, and that everything works which was made smaller."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

from stillframe.request.capture_request import CaptureRequest
from tests.support.cloud import Cloud
from tests.support.docker import docker, function
from tests.support.events import event_of
from tests.support.workers import ROOT

MAX_BYTES = 600_000_000
# By how much a row of the documented table may be wrong: security updates change sizes.
TOLERANCE_MB = 3
SIZES_OF_FILES = "find / -xdev -type f -printf '%s %p\\n' 2>/dev/null; true"


def in_image(image: str, *command: str) -> str:
    return docker("run", "--rm", "--network", "none", "--entrypoint", command[0], image, *command[1:])


def documented() -> dict[str, int]:
    """The table of the size in docs/container.md, which is that of amd64: megabytes by directory."""
    section = (ROOT / "docs/container.md").read_text().partition("## Size")[2].partition("\n## ")[0]
    return {
        path: int(mb)
        for path, mb in re.findall(r"^\| `?([^|`]+?)`?(?:[:,] [^|]*)? \| (\d+) \|$", section, re.MULTILINE)
    }


def test_the_image_is_as_small_as_documented(image: str, figures: dict[str, Any]) -> None:
    # Given / When the sizes of all files, by the directories of the table
    (description,) = json.loads(docker("image", "inspect", image))
    figures["imageBytes"] = description["Size"]
    assert description["Size"] <= MAX_BYTES
    table = documented()
    rest, total = table.pop("everything else"), table.pop("total")
    found: Counter[str] = Counter()
    for line in in_image(image, "/bin/sh", "-c", SIZES_OF_FILES).splitlines():
        size, _, path = line.partition(" ")
        found[max((each for each in table if path.startswith(f"{each}/")), key=len, default="")] += int(size)
    # Then each is as documented, and so are what is in none of them and the whole
    wrong = {each: round(found[each] / 1e6) for each in table if abs(found[each] / 1e6 - table[each]) > TOLERANCE_MB}
    assert wrong == {}
    assert abs(found[""] / 1e6 - rest) <= TOLERANCE_MB
    assert abs(description["Size"] / 1e6 - total) <= 2 * TOLERANCE_MB
    # And no layer holds what another one removes, or holds again
    assert description["Size"] <= sum(found.values()) * 1.01


def test_only_a_listed_package_owns_a_library(image: str) -> None:
    # Given / When what is installed, as scanners and the bill of materials see it
    names = set(in_image(image, "dpkg-query", "--show", "--showformat", "${Package}\\n").split())
    # Then it is what is there
    assert {"chromium-headless-shell", "fonts-noto-cjk", "libnss3", "python3.13"} <= names
    gone = {"apt", "debconf", "perl-base", "mesa-libgallium", "openssl", "x11-utils"}
    assert {name for name in names if name in gone or name.startswith("libllvm")} == set()


def test_no_package_misses_a_library(image: str) -> None:
    script = "find /opt/venv -name '*.so*' -exec ldd {} + 2>/dev/null | grep 'not found'; true"
    assert in_image(image, "/bin/sh", "-c", script) == ""


def test_every_command_of_the_image_explains_itself(image: str) -> None:
    listed = in_image(image, "stillframe", "--help").partition("Commands:")[2]
    commands = re.findall(r"^  ([a-z][a-z-]*)  ", listed, re.MULTILINE)
    script = f"for each in {' '.join(commands)}; do stillframe $each --help >/dev/null 2>&1 || echo $each; done"
    assert len(commands) >= 20
    # The simulation behind `plan` is of no use to a worker, and its packages are not installed.
    assert in_image(image, "/bin/sh", "-c", script) == "plan"


def test_images_can_be_compared_in_the_image(image: str) -> None:
    # Given two images in the image, of which one has a square
    script = """
import io
from PIL import Image
from stillframe.comparison.difference import compare
def png(square):
    image = Image.new("RGB", (300, 200), "white")
    image.paste("red", square)
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()
print(compare(png((10, 10, 10, 10)), png((10, 10, 60, 60))).box)
"""
    assert in_image(image, "python3", "-c", script) == "(10, 10, 60, 60)"


# What the browser shows is partly in files beside it. Each expression says so in the title of the page.
SHOWN = {
    "webgl": "document.createElement('canvas').getContext('webgl').getParameter(7936)",
    "webgl2": "document.createElement('canvas').getContext('webgl2') ? 'drawn' : ''",
    # Its widest month is September, and without the browser's texts no month has a name.
    "month": "document.querySelector('[type=month]').offsetWidth > document.querySelector('[type=date]').offsetWidth",
}


def test_the_browser_has_all_that_pages_show(
    image: str, rie: Path, container_cloud: Cloud, container_site: str
) -> None:
    # Given pages with drawings by WebGL and with fields that have texts of the browser's own
    with function(rie, container_cloud.exports) as running:
        for name, expression in SHOWN.items():
            html = f"<input type=month><input type=date><script>document.title = {expression}</script>"
            body = {"url": f"http://{container_site}/{name}", "requestId": name, "options": {"html": html}}
            # When they are captured
            request = CaptureRequest.model_validate(body)
            assert running.invoke(event_of(request.to_body())) == {"batchItemFailures": []}
    titles = {name: container_cloud.record(name).title for name in SHOWN}
    # Then each is shown
    assert titles == {"webgl": "WebKit", "webgl2": "drawn", "month": "true"}

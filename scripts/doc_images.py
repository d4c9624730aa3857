"""Take the images of the documentation, with Stillframe itself: examples of options, the gallery, and the diagrams.

Needs `make test` to have installed the libraries (Mermaid). Run it after changes to the gallery or to a diagram.
"""

from __future__ import annotations

import hashlib
import html
import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from stillframe_cli.site_server import serve_directory

ROOT = Path(__file__).parents[1]
IMAGES = ROOT / "docs/images"
DEMO = ROOT / "cli/stillframe_cli/demo_site"
MERMAID = ROOT / "build/libraries/node_modules/mermaid/dist/mermaid.min.js"
DIAGRAM = re.compile(r"^```mermaid\n(.*?)^```$", re.MULTILINE | re.DOTALL)

# The examples of docs/options.md: a page of the demo and the options.
EXAMPLES: dict[str, tuple[str, dict[str, object]]] = {
    "viewport": ("article.html", {"viewport": {"width": 1000, "height": 620}}),
    "full-page": ("tall.html", {"fullPage": True, "viewport": {"width": 700, "height": 500}, "maxHeight": 1500}),
    "selector": ("article.html", {"selector": "figure", "padding": 12}),
    "device": ("article.html", {"device": "iphone-15", "deviceScaleFactor": 1}),
    "color-scheme": ("dashboard.html", {"colorScheme": "dark", "viewport": {"width": 1000, "height": 620}}),
    "mask": ("article.html", {"mask": ["figure"], "viewport": {"width": 1000, "height": 620}}),
}
WEBP = {"format": "webp", "quality": 80}
DIAGRAM_OPTIONS = {"selector": "svg", "padding": 16, "deviceScaleFactor": 2, "waitForSelector": "svg", **WEBP}


def main() -> None:
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        site, out = Path(folder) / "site", Path(folder) / "out"
        shutil.copytree(DEMO, site)
        shutil.copy(MERMAID, site / "mermaid.js")
        diagrams = _write_diagrams(site)
        with serve_directory(site) as host:
            requests = [(name, page, {**options, **WEBP}) for name, (page, options) in EXAMPLES.items()]
            requests += [(name, f"{name}.html", DIAGRAM_OPTIONS) for name in diagrams]
            _capture(host, requests, out)
        with serve_directory(_gallery(Path(folder))) as host:
            _capture(host, [("gallery", "index.html", {"viewport": {"width": 1200, "height": 640}, **WEBP})], out)


def diagram_name(source: str) -> str:
    """The name of a diagram's image. It changes with the diagram, so that no image is out of date."""
    return f"diagram-{hashlib.sha256(source.encode()).hexdigest()[:12]}"


def _write_diagrams(site: Path) -> list[str]:
    sources = [
        source
        for page in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
        for source in DIAGRAM.findall(page.read_text())
    ]
    for image in IMAGES.glob("diagram-*"):
        image.unlink()
    for source in sources:
        (site / f"{diagram_name(source)}.html").write_text(
            "<!doctype html><meta charset=utf-8><script src=mermaid.js></script><body style='background:#fff'>"
            f"<pre class=mermaid>{html.escape(source)}</pre><script>mermaid.initialize({{ theme: 'neutral' }})</script>"
        )
    return [diagram_name(source) for source in sources]


def _gallery(folder: Path) -> Path:
    out = folder / "gallery"
    subprocess.run([sys.executable, "-m", "stillframe_cli", "demo", "--out", str(out)], check=True, capture_output=True)
    return out


def _capture(host: str, requests: list[tuple[str, str, dict[str, object]]], out: Path) -> None:
    lines = [
        json.dumps({"requestId": name, "url": f"http://{host}/{page}", "options": options})
        for name, page, options in requests
    ]
    (out.parent / "requests.jsonl").write_text("\n".join(lines))
    command = ["shoot", "--file", str(out.parent / "requests.jsonl"), "--allow-host", host, "--out", str(out), "--json"]
    ended = subprocess.run(
        [sys.executable, "-m", "stillframe_cli", *command], check=True, capture_output=True, text=True
    )
    for result in map(json.loads, ended.stdout.splitlines()):
        shutil.copy(result["path"], IMAGES / f"{result['id']}.webp")
        print(f"docs/images/{result['id']}.webp", file=sys.stderr)


if __name__ == "__main__":
    main()

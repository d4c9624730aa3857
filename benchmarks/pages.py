"""The pages of the benchmarks, and a site that serves them with a given latency per response.

python -m benchmarks.pages LATENCY_MS ADDRESS
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import io
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httptools
from PIL import Image

DEMO_FONTS = Path(__file__).parents[1] / "cli/stillframe_cli/demo_site/fonts"
HEAD = "<!doctype html><html><head><meta charset=utf-8><title>{}</title>"
WORDS = [
    "keeper",
    "lamp",
    "harbour",
    "tide",
    "ledger",
    "stone",
    "winter",
    "signal",
    "coast",
    "paper",
    "engine",
    "morning",
    "north",
    "salt",
]
IMAGES = 12


def _prose(count: int, seed: int) -> str:
    rng = random.Random(seed)
    return " ".join(rng.choice(WORDS) for _ in range(count))


def text() -> str:
    paragraphs = "".join(f"<p>{_prose(120, number)}</p>" for number in range(25))
    return f"{HEAD.format('text')}</head><body><h1>Text</h1>{paragraphs}</body></html>"


def images() -> str:
    tiles = "".join(f"<img src='/image/{number}.png' width=300 height=200>" for number in range(IMAGES))
    return f"{HEAD.format('images')}</head><body>{tiles}</body></html>"


def css() -> str:
    rules = "".join(
        f".c{number}{{background:linear-gradient({number * 7}deg,#{number * 4111 % 4096:03x},#fff);"
        f"box-shadow:0 {number % 9}px 12px #0004;border-radius:{number % 20}px;transform:rotate({number % 5}deg)}}"
        for number in range(200)
    )
    grid = ".g{display:grid;grid-template-columns:repeat(20,1fr);gap:6px}.g div{height:36px}"
    cells = "".join(f"<div class=c{number % 200}></div>" for number in range(600))
    return f"{HEAD.format('css')}<style>{grid}{rules}</style></head><body><div class=g>{cells}</div></body></html>"


def script() -> str:
    code = (
        "const rows = []; for (let i = 0; i < 1500; i++) rows.push({ id: i, value: Math.sin(i) * 1000 | 0 });"
        "for (let n = 0; n < 40; n++) rows.sort((a, b) => (a.value * (n + 1)) % 97 - (b.value * (n + 1)) % 97);"
        "const table = document.createElement('table'); document.body.append(table);"
        "for (const row of rows.slice(0, 600)) { const tr = table.insertRow();"
        "for (let c = 0; c < 6; c++) tr.insertCell().textContent = row.id * c + row.value; }"
    )
    return f"{HEAD.format('script')}</head><body><h1>Script</h1><script>{code}</script></body></html>"


def tall() -> str:
    sections = "".join(
        f"<section style='height:800px;background:hsl({number * 36},40%,85%)'><h2>{number}</h2>"
        f"<p>{_prose(80, number)}</p></section>"
        for number in range(10)
    )
    return f"{HEAD.format('tall')}<style>body{{margin:0}}</style></head><body>{sections}</body></html>"


def fonts() -> str:
    faces = "".join(
        f"@font-face{{font-family:f{number};src:url(/font/{path.name})}}.f{number}{{font:24px f{number}}}"
        for number, path in enumerate(sorted(DEMO_FONTS.iterdir()))
    )
    count = len(list(DEMO_FONTS.iterdir()))
    blocks = "".join(f"<p class=f{number % count}>{_prose(40, number)}</p>" for number in range(12))
    return f"{HEAD.format('fonts')}<style>{faces}</style></head><body>{blocks}</body></html>"


CLASSES = {"text": text, "images": images, "css": css, "script": script, "tall": tall, "fonts": fonts}


def urls(site: str, count: int) -> list[str]:
    """URLs of all page classes in turn. No URL occurs twice, so that no contender gains from a cache."""
    names = list(CLASSES)
    return [f"http://{site}/{names[number % len(names)]}?{number}" for number in range(count)]


@functools.cache
def body_of(path: str) -> tuple[bytes, str]:
    """The body of a path and its content type."""
    _, kind, *rest = path.split("/")
    if kind == "image":
        number = int(rest[0].removesuffix(".png"))
        noise = Image.effect_noise((300, 200), 20 + number * 5)
        file = io.BytesIO()
        Image.merge("RGB", (noise, noise.rotate(90, expand=False), noise.rotate(180))).quantize(64).save(file, "PNG")
        return file.getvalue(), "image/png"
    if kind == "font":
        return (DEMO_FONTS / rest[0]).read_bytes(), "font/woff2"
    return CLASSES[kind]().encode(), "text/html"


class Connection(asyncio.Protocol):
    """HTTP/1.1 with keep-alive. Responses are prepared in advance, so that serving them takes little CPU time."""

    def __init__(self, latency_seconds: float) -> None:
        self._latency = latency_seconds
        self._parser = httptools.HttpRequestParser(self)
        self._path = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_url(self, url: bytes) -> None:
        self._path = url.decode().partition("?")[0]

    def on_message_complete(self) -> None:
        try:
            body, kind = body_of(self._path)
            status = "200 OK"
        except (KeyError, OSError, ValueError, IndexError):
            body, kind, status = b"", "text/plain", "404 Not Found"
        fields = {"Content-Type": kind, "Content-Length": len(body), "Cache-Control": "no-store"}
        head = f"HTTP/1.1 {status}\r\n" + "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        answer = head.encode() + b"\r\n" + body
        asyncio.get_running_loop().call_later(self._latency, self._transport.write, answer)


@contextlib.contextmanager
def serving(latency_ms: int, address: str = "127.0.0.1") -> Iterator[str]:
    """Serve the pages in a process of its own. Yields host and port."""
    command = [sys.executable, "-m", __name__, str(latency_ms), address]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


async def serve(latency_ms: int, address: str) -> None:
    """Print host and port, and serve until the parent process has ended."""
    for name in CLASSES:
        body_of(f"/{name}")
    for number in range(IMAGES):
        body_of(f"/image/{number}.png")
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(latency_ms / 1000), address, 0)
    print(f"{address}:{server.sockets[0].getsockname()[1]}", flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), sys.argv[2]))

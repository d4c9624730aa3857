"""`keys` and `sign`: the whole service on this machine, with keys, quotas and signed links."""

from __future__ import annotations

import json
import os
import re
import signal
import stat
import subprocess
import urllib.error
from pathlib import Path
from typing import Any

from stillframe.clock import SystemClock
from stillframe.request.capture_request import CaptureRequest
from stillframe.table.record import INDEX_NAME
from stillframe.tenants.key_store import KeyStore
from stillframe.tenants.limits import Limits
from stillframe.tenants.usage import UsageBook
from stillframe_cli.provision import ATTRIBUTES, create_table
from tests.support.cloud import Cloud
from tests.support.workers import ROOT, STILLFRAME, environment

from .test_serve import SMALL, call, start, url_of


def stillframe(exports: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*STILLFRAME, *words], cwd=ROOT, env=environment(exports), capture_output=True, text=True, check=False
    )


def as_json(exports: dict[str, str], *words: str) -> Any:
    done = stillframe(exports, *words, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_key_is_created_listed_used_up_and_revoked(cloud: Cloud) -> None:
    # When a key is created, then it is the only thing on standard output
    limits = ("--per-minute", "60", "--per-day", "10000", "--usd-per-month", "50")
    done = stillframe(cloud.exports, "keys", "create", "--tenant", "acme", *limits)
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(r"stillframe_[0-9A-Za-z]{48}\n", done.stdout)
    assert "shown this once" in done.stderr
    made = as_json(cloud.exports, "keys", "create", "--tenant", "zeta")
    assert made["key"].startswith("stillframe_" + made["id"])
    # And both are listed, without their secrets
    listed = stillframe(cloud.exports, "keys", "list", "--json").stdout
    keys = [json.loads(line) for line in listed.splitlines()]
    assert [key["tenant"] for key in keys] == ["acme", "zeta"]
    assert (keys[0]["perMinute"], keys[0]["perDay"], keys[0]["usdPerMonth"]) == (60, 10_000, 50)
    assert made["key"] not in listed
    assert "zeta" in stillframe(cloud.exports, "keys", "list").stdout
    # When one is revoked, then that is shown, and a second time is no mistake
    assert as_json(cloud.exports, "keys", "revoke", made["id"])["revokedAt"] > 0
    assert "is revoked" in stillframe(cloud.exports, "keys", "revoke", made["id"]).stderr
    assert "revoked" in stillframe(cloud.exports, "keys", "list").stdout
    # And one that does not exist is
    unknown = stillframe(cloud.exports, "keys", "revoke", "nothing")
    assert (unknown.returncode, unknown.stdout) == (1, "")
    assert "no key with the id nothing" in unknown.stderr
    # And usage is told by tenant
    assert as_json(cloud.exports, "keys", "usage", "--tenant", "acme")["captures"] == 0
    assert len(stillframe(cloud.exports, "keys", "usage", "--json").stdout.splitlines()) == 2


def test_an_emptied_table_still_lets_tenants_in(cloud: Cloud) -> None:
    # Given a key, what its tenant has used, and a record
    as_json(cloud.exports, "keys", "create", "--tenant", "acme")
    UsageBook(cloud.table, SystemClock()).add("acme", 1, 0.5)
    cloud.send(CaptureRequest(url="https://example.com/", request_id="a"))
    # When the table is emptied, then only the record is gone
    assert as_json(cloud.exports, "cleanup", "--table", "--yes")["records"] == 1
    assert cloud.find_record("a") is None
    assert as_json(cloud.exports, "keys", "usage")["usd"] == 0.5


def test_a_table_of_an_earlier_version_gets_its_index(cloud: Cloud) -> None:
    # Given a table that was made before there were tenants
    dynamodb: Any = cloud.clients.dynamodb
    name = "earlier"
    arguments = dynamodb.describe_table(TableName=cloud.settings.table_name)["Table"]
    (index,) = [each for each in arguments["GlobalSecondaryIndexes"] if each["IndexName"] == INDEX_NAME]
    dynamodb.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=arguments["KeySchema"],
        AttributeDefinitions=[each for each in ATTRIBUTES if each["AttributeName"] != "tenantShard"],
        GlobalSecondaryIndexes=[{each: index[each] for each in ("IndexName", "KeySchema", "Projection")}],
    )
    # When the embedded environment is started on it, twice
    for _ in range(2):
        create_table(dynamodb, name)
    # Then keys can be listed
    store = KeyStore(cloud.clients, cloud.settings.model_copy(update={"table_name": name}))
    _, made = store.create("acme", Limits())
    assert store.list() == [made]


def test_a_name_that_no_tenant_can_have_is_refused(cloud: Cloud) -> None:
    for name in ("a:b", "", ".a", "a" * 41, "a/b"):
        done = stillframe(cloud.exports, "keys", "create", "--tenant", name)
        assert done.returncode == 2, name
        assert "is not the name of a tenant: 1 to 40" in done.stderr


def test_a_link_is_not_signed_without_api_key_or_sense() -> None:
    bare: dict[str, str] = {}
    known = {"STILLFRAME_API_URL": "https://api.example", "STILLFRAME_LINK_KEY": "k"}
    for exports, words, message in (
        (bare, ("https://example.com",), "No API selected"),
        ({"STILLFRAME_API_URL": "https://api.example"}, ("https://example.com",), "No key to sign with"),
        (known, ("https://example.com", "--expires", "soon"), "neither a time"),
        (known, ("example.com",), "only http and https"),
        (known, ("https://example.com", "--options", '{"headers": {"A": "b"}}'), "could read"),
    ):
        done = stillframe(exports, "sign", *words)
        assert (done.returncode, done.stdout) == (2, ""), done.stderr
        assert message in done.stderr


def test_the_service_on_this_machine_has_keys_and_links(site: str, chromium: str, tmp_path: Path) -> None:
    # Given the service with keys, and the variables that it writes
    variables, state = tmp_path / "env.sh", tmp_path / "state"
    options = ("--keys", "--allow-host", site, "--env-file", str(variables), "--state", str(state))
    process = start(*options)
    try:
        url = url_of(process)
        exports = exports_of(variables)
        assert stat.S_IMODE(variables.stat().st_mode) == 0o600
        assert exports["STILLFRAME_API_URL"] == url
        page = f"http://{site}/colour?hex=00aa00"
        body = {"url": page, "requestId": "green", "options": SMALL}
        # Then nobody gets in without a key
        assert status_of(f"{url}/v1/screenshots", body) == 401
        # And with one, a page is captured for its tenant, which pays for it
        key = as_json(exports, "keys", "create", "--tenant", "acme", "--per-minute", "5")["key"]
        headers = {"Authorization": f"Bearer {key}", "Prefer": "wait=25"}
        with call(f"{url}/v1/screenshots", body, **headers) as reply:
            assert reply.read()[:4] == b"\x89PNG"
        usage = as_json(exports, "keys", "usage")
        assert (usage["tenant"], usage["captures"]) == ("acme", 1)
        assert usage["usd"] > 0
        # And a signed link leads to an image without a key, and is cached
        signed = as_json(exports, "sign", page, "--width", "64", "--height", "48")["url"]
        with call(signed) as reply:
            image = reply.read()
        assert image[:4] == b"\x89PNG"
        assert status_of(signed[:-4] + "AAAA") == 403
    finally:
        process.send_signal(signal.SIGTERM)
        _, notes = process.communicate(timeout=60)
    assert process.returncode == 0, notes
    # And after a restart, the link still leads to it
    process = start(*options)
    try:
        path = signed.partition("/v1/")[2]
        with call(f"{url_of(process)}/v1/{path}") as reply:
            assert reply.read() == image
        assert (state / "link-key").stat().st_mode & 0o077 == 0
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)


def exports_of(path: Path) -> dict[str, str]:
    """The variables that a shell has after it has read the file."""
    done = subprocess.run(
        ["bash", "-c", f". {path} && env -0"], env={"PATH": os.environ["PATH"]}, capture_output=True, check=True
    )
    pairs = (each.partition("=") for each in done.stdout.decode().split("\0") if each)
    return {name: value for name, _, value in pairs if name not in ("PATH", "PWD", "SHLVL", "_")}


def status_of(url: str, body: Any = None) -> int:
    try:
        with call(url, body) as reply:
            status: int = reply.status
            return status
    except urllib.error.HTTPError as error:
        return error.code

"""`site` goes on where it was, whatever ended it, and captures each page once."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import MakeCloud
from tests.support.killed_crawl import measure
from tests.support.linked_site import LinkedSite, serving_linked_site
from tests.support.site_command import SMALL, manifest, site
from tests.support.workers import ROOT, STILLFRAME, environment, fleet, wait_for

pytestmark = pytest.mark.usefixtures("chromium")


@pytest.fixture
def linked_site() -> Iterator[LinkedSite]:
    with serving_linked_site(80) as linked:
        yield linked


def test_ctrl_c_ends_a_run_in_an_orderly_way_and_the_next_one_goes_on(linked_site: LinkedSite, tmp_path: Path) -> None:
    # Given a run that has saved some of its pages
    options = ("--allow-host", linked_site.host, "--ignore-query", "utm_*", *SMALL)
    command = [*STILLFRAME, "site", linked_site.url, "--out", str(tmp_path), *options]
    process = subprocess.Popen(command, cwd=ROOT, env=environment({}), stderr=subprocess.PIPE, text=True)
    results = tmp_path / "results.jsonl"
    wait_for(lambda: results.exists() and results.read_bytes().count(b"\n") > 5, what="the first results")
    # When somebody presses Ctrl-C
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    # Then what has begun is saved, and the manifest says that it is not all
    assert process.returncode == 130
    assert "run it again to continue" in err
    partial = manifest(tmp_path)
    assert not partial["complete"]
    assert set(partial["statuses"]) == {"success", "pending"}
    # And the same command does the rest, and loads no page again
    assert subprocess.run(command, cwd=ROOT, env=environment({}), capture_output=True, check=False).returncode == 0
    assert manifest(tmp_path)["statuses"] == {"success": 80}
    assert [linked_site.loads[f"/{number}"] for number in range(80)] == [1] * 80


def test_another_machine_goes_on_with_a_run_of_a_deployment(
    linked_site: LinkedSite, make_cloud: MakeCloud, tmp_path: Path
) -> None:
    # Given a run that has ended in a deployment
    cloud = make_cloud(STILLFRAME_ALLOW_HOSTS=linked_site.host)
    options = ("--name", "shared", "--ignore-query", "utm_*", "--max", "10", "--per-host", "8")
    with fleet(tmp_path) as workers:
        workers.start(cloud.exports, "--continuous")
        assert site(linked_site.host, tmp_path / "a", *options, exports=cloud.exports, path="/0").status == 0
    # When the same command runs with a directory that has nothing of it, and without any worker
    assert site(linked_site.host, tmp_path / "b", *options, exports=cloud.exports, path="/0").status == 0
    # Then everything comes from what is stored
    first, second = ([dict(each) for each in manifest(tmp_path / name)["results"]] for name in "ab")
    assert first == second
    assert sum(linked_site.loads[f"/{number}"] for number in range(80)) == 10
    assert all(each["id"].startswith("_site:shared:") for each in first)


@pytest.mark.parametrize("here", [False, True], ids=["in a deployment", "on this machine"])
def test_each_page_is_captured_once_though_the_crawler_is_killed(tmp_path: Path, here: bool) -> None:
    # Given / When a crawl of sixty pages is killed three times, at any moment
    figures = measure(60, 3, tmp_path, here)
    # Then each page is there once, in the order that the pages have, and nothing else is
    assert figures["exitStatus"] == 0
    assert (figures["once"], figures["twice"], figures["missing"], figures["foreign"]) == (60, 0, 0, 0)
    assert (figures["inOrder"], figures["images"], figures["kills"]) == (True, 60, 3)
    if not here:
        # And the bucket has each image once
        assert (figures["records"], figures["versions"]) == (60, 60)

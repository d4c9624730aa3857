"""`site` on small sites with a real browser: what it captures, what it says, and how it goes on."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pytest

from tests.conftest import MakeCloud
from tests.support.serving import QuietHandler, serving
from tests.support.site_command import manifest, site
from tests.support.workers import ROOT, STILLFRAME, environment, fleet

pytestmark = pytest.mark.usefixtures("chromium")

SCRIPT = "<script>document.body.insertAdjacentHTML('beforeend', '<a href=/made-by-script>x</a>')</script>"
PAGES = {
    "/": f"<a href=/docs/a>a</a><a href=/docs/missing>m</a><a href=/private>p</a><a href=/download>d</a>{SCRIPT}",
    "/made-by-script": "<a href=https://elsewhere.example/>x</a>",
    "/docs/a": "<a href=/docs/b>b</a><a href=/docs/c rel=nofollow>c</a>",
    "/docs/b": "<a href=/docs/deeper>x</a>",
    "/docs/c": "c",
    "/docs/listed": "listed",
}


class Shop(QuietHandler):
    """A site with robots.txt, a sitemap, an error page, a download, and a start page that redirects."""

    robots = "User-agent: Stillframe\nDisallow: /private\n"
    robots_status = 200
    pages = PAGES
    # That of the test that runs.
    current: ClassVar[type[Shop]]

    def do_GET(self) -> None:
        host = self.headers["Host"]
        if self.path == "/robots.txt":
            self.answer(self.robots_status, self.robots.encode(), **{"Content-Type": "text/plain"})
        elif self.path == "/sitemap.xml":
            self.answer(200, f"<urlset><url><loc>http://{host}/docs/listed</loc></url></urlset>".encode())
        elif self.path == "/download":
            self.answer(200, b"PK", **{"Content-Type": "application/zip", "Content-Disposition": "attachment"})
        elif self.path == "/start":
            self.answer(302, b"", Location="/")
        elif self.path in self.pages:
            self.answer(200, f"<!doctype html><link rel=icon href='data:,'><body>{self.pages[self.path]}".encode())
        else:
            self.answer(404, b"<a href=/from-the-error-page>x</a>")


@pytest.fixture
def shop() -> Iterator[str]:
    class Own(Shop):
        """With rules of its own."""

    with serving(Own) as host:
        Shop.current = Own
        yield host


def paths(out: Path, host: str) -> dict[str, str]:
    """The status of each page, by path, in the order of the manifest."""
    return {each["url"].removeprefix(f"http://{host}"): each["status"] for each in manifest(out)["results"]}


def test_a_site_is_captured_as_far_as_it_was_asked_for(shop: str, tmp_path: Path) -> None:
    # Given / When a site with everything that a site can have is captured, as deep as two links
    done = site(shop, tmp_path, "--json")
    # Then each page is there, those of the sitemap after the links of the start page, and the download has failed
    assert paths(tmp_path, shop) == {
        "/": "success",
        "/docs/a": "success",
        "/docs/missing": "success",
        "/download": "failed",
        "/made-by-script": "success",
        "/docs/listed": "success",
        "/docs/b": "success",
    }
    assert done.status == 1
    # And what was left out has its reason
    left_out = manifest(tmp_path)["leftOut"]
    assert {reason: each["urls"] for reason, each in left_out.items()} == {
        "outside": ["https://elsewhere.example/"],
        "nofollow": [f"http://{shop}/docs/c"],
        "robots": [f"http://{shop}/private"],
        "depth": [f"http://{shop}/docs/deeper"],
    }
    # And results, manifest and gallery agree
    results = manifest(tmp_path)["results"]
    assert [each["url"] for each in results if each.get("file")] == [
        each["url"] for each in results if each["status"] == "success"
    ]
    assert all((tmp_path / each["file"]).stat().st_size == each["bytes"] for each in results if each.get("file"))
    failed = next(each for each in results if each["status"] == "failed")
    assert (failed["errorCode"], failed["foundOn"], failed["depth"]) == ("CONTENT_REFUSED", f"http://{shop}/", 1)
    assert (tmp_path / "index.html").read_text().count("docs/listed") >= 1
    *lines, totals = done.lines
    assert {each["url"] for each in lines} == {each["url"] for each in results}
    assert totals["statuses"] == {"success": 6, "failed": 1}
    assert totals["leftOut"] == {"outside": 1, "nofollow": 1, "robots": 1, "depth": 1}


def test_limits_and_patterns(shop: str, tmp_path: Path) -> None:
    # Given / When only a part of the site is asked for
    done = site(shop, tmp_path, "--include", "/docs/*", "--exclude", "*missing", "--max", "3", "--depth", "5")
    assert done.status == 0
    # Then it is that part, and no more pages than that
    assert list(paths(tmp_path, shop)) == ["/", "/docs/a", "/docs/listed"]
    # When more of it is asked for, then only the rest is captured
    more = site(shop, tmp_path, "--include", "/docs/*", "--exclude", "*missing", "--depth", "5", "--json")
    assert list(paths(tmp_path, shop)) == ["/", "/docs/a", "/docs/listed", "/docs/b", "/docs/deeper"]
    assert [each["url"].rpartition("/")[2] for each in more.lines[:-1]] == ["b", "deeper"]


def test_the_site_is_where_its_start_page_ends(shop: str, tmp_path: Path) -> None:
    assert site(shop, tmp_path, "--depth", "1", "--no-sitemap", path="/start").status == 1
    assert list(paths(tmp_path, shop)) == ["/start", "/docs/a", "/docs/missing", "/download", "/made-by-script"]


@pytest.mark.parametrize(
    ("robots", "status", "sentence"),
    [
        ("User-agent: *\nDisallow: /", 200, "robots.txt disallows http"),
        ("", 500, "robots.txt cannot be read (it answers 500)"),
    ],
)
def test_a_site_that_does_not_want_to_be_captured_is_not(
    shop: str, tmp_path: Path, robots: str, status: int, sentence: str
) -> None:
    # Given robots.txt that disallows everything, or that cannot be read
    Shop.current.robots, Shop.current.robots_status = robots, status
    # When the site is captured, then the command says why not
    done = site(shop, tmp_path)
    assert done.status == 1
    assert sentence in done.err
    assert "--ignore-robots" in done.err
    # And with that option it is
    assert site(shop, tmp_path, "--ignore-robots", "--depth", "0").status == 0
    assert paths(tmp_path, shop) == {"/": "success"}


def test_a_page_that_is_not_public_is_refused_with_the_advice_to_allow_it(shop: str, tmp_path: Path) -> None:
    command = [*STILLFRAME, "site", f"http://{shop}/", "--out", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, env=environment({}), capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert f"--allow-host {shop}" in done.stderr


def test_a_directory_belongs_to_one_run(shop: str, tmp_path: Path) -> None:
    # Given a run
    assert site(shop, tmp_path, "--depth", "0").status == 0
    # When others want its directory, then each is told what to do
    for options in (("--dark",), ("--name", "other")):
        done = site(shop, tmp_path, "--depth", "0", *options)
        assert (done.status, "--out" in done.err) == (2, True)
    # And --again begins anew, with other ids
    before = manifest(tmp_path)["results"][0]["id"]
    assert site(shop, tmp_path, "--depth", "0", "--dark", "--again").status == 0
    assert manifest(tmp_path)["results"][0]["id"] != before
    assert [path.name for path in tmp_path.glob("*.png")] == ["127-0-0-1.png"]
    # And the results of another command are left alone
    (tmp_path / "crawl.json").unlink()
    assert site(shop, tmp_path).status == 2


@pytest.mark.parametrize("here", [False, True], ids=["in a deployment", "on this machine"])
def test_pages_that_failed_are_captured_once_more_on_request(
    shop: str, make_cloud: MakeCloud, tmp_path: Path, here: bool
) -> None:
    cloud = make_cloud(STILLFRAME_ALLOW_HOSTS=shop)
    exports = {} if here else cloud.exports
    options = ("--fail-on-status", "--depth", "2", "--exclude", "/download")
    with fleet(tmp_path) as workers:
        if not here:
            workers.start(cloud.exports, "--continuous")
        # Given a run with a page that failed for its status, so that its links are not known
        assert site(shop, tmp_path / "out", *options, exports=exports).status == 3
        failed = [path for path, status in paths(tmp_path / "out", shop).items() if status == "failed"]
        assert failed == ["/docs/missing"]
        # When the page is there, and the same command goes on, then nothing is captured again
        Shop.current.pages = {**PAGES, "/docs/missing": "<a href=/docs/late>x</a>", "/docs/late": "late"}
        assert site(shop, tmp_path / "out", *options, exports=exports).status == 3
        # And on request that page is, and what it links to
        again = site(shop, tmp_path / "out", *options, "--retry-failed", "--json", exports=exports)
    assert again.status == 0
    assert [each["url"].rpartition("/")[2] for each in again.lines[:-1]] == ["missing", "late"]
    assert set(paths(tmp_path / "out", shop).values()) == {"success"}


@pytest.mark.parametrize(
    ("path", "sentence"),
    [("/docs/missing", "The start page answered 404"), ("/docs/listed", "The start page links to no other page")],
)
def test_a_start_page_that_leads_nowhere_is_explained(shop: str, tmp_path: Path, path: str, sentence: str) -> None:
    done = site(shop, tmp_path, "--no-sitemap", path=path)
    assert (done.status, len(manifest(tmp_path)["results"])) == (0, 1)
    assert sentence in done.err


@pytest.mark.parametrize(
    "argument", ["-", '{"url": "https://example.com"}', "ftp://example.com/", "https://a:b@example.com/"]
)
def test_what_is_no_start_page_is_wrong_usage(tmp_path: Path, argument: str) -> None:
    command = [*STILLFRAME, "site", argument, "--out", str(tmp_path / "out")]
    done = subprocess.run(command, cwd=ROOT, env=environment({}), capture_output=True, text=True, input="", check=False)
    assert (done.returncode, "Traceback" in done.stderr, "a:b" in done.stderr) == (2, False, False)
    assert not (tmp_path / "out").exists()

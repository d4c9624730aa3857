"""`check` without a browser: names of images, the baseline's directory, JUnit XML, and usage."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import click
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from stillframe.image.element import PageElement
from stillframe.request.capture_request import CaptureRequest
from stillframe.request.options import ComparisonRules
from stillframe_cli.check.baseline import Baseline, BaselineImage
from stillframe_cli.check.junit import junit_xml
from stillframe_cli.check.page_check import CheckStatus, PageCheck, PageImage, check_page
from stillframe_cli.check.page_names import page_name
from stillframe_cli.check.report import check_report
from stillframe_cli.check.run import CheckRun, named_requests, update
from stillframe_cli.commands.check import exit_status, with_comparison
from stillframe_cli.main import cli
from tests.support.drawings import encoded

WHITE, BLUE = (encoded(Image.new("RGB", (40, 20), color)) for color in ("white", "#0000ff"))
PRICE = PageElement((0, 0, 40, 20), "#price", "19.90 \x1b[31m & more")


def request(url: str = "https://example.com/a", **fields: Any) -> CaptureRequest:
    return CaptureRequest(url=url, **fields)


def checked(before: bytes | None, after: bytes, **rules: Any) -> PageCheck:
    image = None if before is None else BaselineImage(Path("baseline/a.png"), before, ())
    page = PageImage(after, "png", None, [PRICE])
    return check_page("a", "https://example.com/a", image, page, ComparisonRules.model_validate(rules), 0.5)


def test_a_baseline_of_more_pixels_than_any_image_has_is_not_decoded() -> None:
    # Given a small file that says it is an image of 400 million pixels, as anybody can put into a pull request
    header = struct.pack(">IIBBBBB", 20_000, 20_000, 8, 2, 0, 0, 0)
    bomb = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in ((b"IHDR", header), (b"IDAT", zlib.compress(bytes(1000))), (b"IEND", b""))
    )
    # When a page is compared with it, then the check of the page fails, and says why
    found = checked(bomb, WHITE)
    assert found.status is CheckStatus.FAILED
    assert "pixels are too many to compare" in (found.problem or "")


def failed() -> PageCheck:
    return PageCheck(
        "b", "https://example.com/b", CheckStatus.FAILED, error_code="UNKNOWN_HOST", problem="no such host"
    )


def test_a_name_does_not_depend_on_scheme_and_port() -> None:
    names = {page_name(request(url), {}) for url in ("http://localhost:3000/a?b=1", "https://localhost/a?b=1")}
    assert len(names) == 1
    assert names.pop().startswith("localhost-a-")


@pytest.mark.parametrize(
    "other",
    [
        request("https://example.com/a?page=2"),
        request("https://example.com/A"),
        request("https://example.com/a", options={"device": "iphone-15"}),
        request("https://example.org/a"),
        request(request_id="start"),
    ],
)
def test_other_pages_have_other_names(other: CaptureRequest) -> None:
    assert page_name(request(), {}) != page_name(other, {})


def test_options_of_the_whole_run_do_not_change_a_name() -> None:
    common = {"preset": "repeatable", "fullPage": True}
    assert page_name(request(options=common), common) == page_name(request(), {})


def test_an_id_is_a_name_that_every_file_system_takes() -> None:
    assert page_name(request(request_id="shop:start"), {}) == "shop_start"


@given(st.lists(st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1, max_size=8), unique=True))
def test_names_do_not_depend_on_other_pages(paths: list[str]) -> None:
    requests = [request(f"https://example.com/{path}") for path in paths]
    alone = [page_name(each, {}) for each in requests]
    assert list(named_requests(requests, {})) == alone


def test_pages_with_one_name_and_pdfs_are_refused() -> None:
    with pytest.raises(click.UsageError, match="have the same name"):
        named_requests([request(request_id="a:b"), request("https://example.com/b", request_id="a_b")], {})
    with pytest.raises(click.UsageError, match="a PDF cannot be compared"):
        named_requests([request(options={"format": "pdf"})], {})


def test_an_update_writes_what_is_not_the_same_and_leaves_the_rest_alone(tmp_path: Path) -> None:
    # Given a baseline with one page that is the same, and one in another format that has changed
    baseline = Baseline(tmp_path / "baseline")
    baseline.replace("same", "png", WHITE)
    baseline.replace("a", "webp", WHITE)
    run = CheckRun(
        [checked(WHITE, BLUE), PageCheck("same", "u", CheckStatus.SAME, after=PageImage(BLUE, "png")), failed()]
    )
    # When it is updated
    assert update(run, baseline) == 1
    # Then the image that changed is there, in its new format only, and the index says of which page it is
    files = sorted(path.name for path in (tmp_path / "baseline").iterdir())
    assert files == ["a.png", "pages.json", "same.png"]
    assert (tmp_path / "baseline/a.png").read_bytes() == BLUE
    assert (tmp_path / "baseline/same.png").read_bytes() == WHITE
    assert Baseline(tmp_path / "baseline").url("a") == "https://example.com/a"


@pytest.mark.parametrize("damaged", [b"", b"garbage", WHITE[:30], WHITE[:60]])
def test_a_damaged_image_of_the_baseline_is_named_and_the_other_pages_are_reported(damaged: bytes) -> None:
    # Given a baseline with an image that ends early, and a page beside it that has changed
    found = [checked(damaged, WHITE), checked(WHITE, BLUE)]
    # When both are reported
    report = check_report(found, []).decode()
    # Then the first one failed for its file, and the report has both
    assert [each.status for each in found] == [CheckStatus.FAILED, CheckStatus.CHANGED]
    assert "baseline/a.png and the page cannot be compared" in found[0].summary
    assert "baseline/a.png and the page cannot be compared" in report
    assert 'failures="1" errors="1"' in junit_xml(found).decode()
    # And it is an error, unless an update has replaced it
    run = CheckRun([found[0]])
    assert [exit_status(run, is_update=is_update, has_problems=False) for is_update in (False, True)] == [2, 0]


def test_a_page_of_which_only_a_part_was_compared_says_so() -> None:
    # Given a page that is higher than its image, which is the same
    page = PageImage(WHITE, "png", full_height=204_000)
    image = BaselineImage(Path("baseline/a.png"), WHITE, ())
    found = check_page("a", "https://example.com/a", image, page, ComparisonRules(), 0.5)
    # When it is reported
    said = "Only its upper part was compared: the page is 204,000 CSS pixels high (maxHeight)."
    # Then nobody takes the page for the same all the way down
    assert found.status is CheckStatus.SAME
    assert found.summary.endswith(said)
    assert said in check_report([found], []).decode()
    assert found.to_wire()["pageHeight"] == 204_000


def test_the_index_keeps_where_an_image_is_not_compared(tmp_path: Path) -> None:
    baseline = Baseline(tmp_path)
    for name in ("b", "a"):
        baseline.replace(name, "png", WHITE)
        baseline.describe(name, f"https://example.com/{name}", [[1, 2, 3, 4]] if name == "a" else None)
    baseline.describe("gone", "https://example.com/gone", None)
    baseline.write_index()
    # A line for each image, in order, so that two people's changes rarely meet
    lines = (tmp_path / "pages.json").read_text().splitlines()
    assert [line[:4] for line in lines[1:-1]] == ['"a":', '"b":']
    found = Baseline(tmp_path).find("a")
    assert found is not None
    assert found.ignored == ((1, 2, 3, 4),)


def test_a_page_that_shows_what_is_ignored_elsewhere_is_the_same() -> None:
    page = PageImage(BLUE, "png", [[0, 0, 40, 20]])
    before = BaselineImage(Path("a.png"), WHITE, ())
    found = check_page("a", "u", before, page, ComparisonRules(), 0)
    assert found.status is CheckStatus.SAME


def test_a_baseline_that_is_no_image_is_a_failure() -> None:
    found = checked(b"version https://git-lfs.github.com/spec/v1", WHITE)
    assert (found.status, "cannot be compared" in found.summary) == (CheckStatus.FAILED, True)


def test_a_change_that_is_allowed_says_so() -> None:
    found = checked(WHITE, BLUE, maxShare=1)
    assert (found.status, found.summary) == (CheckStatus.SAME, "100.0000% of the pixels changed, which is allowed.")


def test_junit_has_a_case_for_each_page() -> None:
    # Given / When a page that is the same, one that changed, one that is new, and one that failed
    checks = [checked(WHITE, WHITE), checked(WHITE, BLUE), checked(None, BLUE), failed()]
    suites = ET.fromstring(junit_xml(checks))
    # Then changed and new pages are failures, what could not be captured is an error, and each says why
    suite = suites.find("testsuite")
    assert suite is not None
    assert [suite.get(name) for name in ("tests", "failures", "errors")] == ["4", "2", "1"]
    kinds = [[child.tag for child in case] for case in suite]
    assert kinds == [[], ["failure"], ["failure"], ["error"]]
    changed = suite[1][0]
    assert (changed.get("type"), (changed.get("message") or "").startswith("100.00% of the pixels")) == (
        "changed",
        True,
    )
    assert '#price "19.90 �[31m & more"' in (changed.text or "")
    assert suite[3][0].get("message") == "UNKNOWN_HOST: no such host"


def test_the_report_shows_what_needs_a_look_first_and_escapes_what_pages_say() -> None:
    hostile = PageCheck("c", "https://example.com/<script>", CheckStatus.FAILED, problem="</script><script>alert(1)")
    page = check_report([checked(WHITE, WHITE), checked(WHITE, BLUE), hostile], ["old"]).decode()
    assert page.index('id="c"') < page.index('id="a"')
    assert "<script>alert" not in page
    assert "Not among the pages: old" in page
    # The image before, after, and what changed; of the page that is the same none
    assert page.count('src="data:image/png') == 3


@pytest.mark.parametrize("has_folder", [False, True])
def test_a_missing_baseline_says_what_to_do(tmp_path: Path, has_folder: bool) -> None:
    folder = tmp_path / "baseline"
    if has_folder:
        folder.mkdir()
    report = str(tmp_path / "check.html")
    result = CliRunner().invoke(
        cli, ["check", "https://example.com", "--baseline", str(folder), "--report", report], terminal_width=200
    )
    assert result.exit_code == 2
    assert "There is no baseline in" in result.output
    assert "--update" in result.output


def test_a_baseline_that_cannot_be_read_is_no_change(tmp_path: Path) -> None:
    (tmp_path / "pages.json").write_text("<<<<<<< ours")
    result = CliRunner().invoke(cli, ["check", "https://example.com", "--baseline", str(tmp_path)])
    assert (result.exit_code, "restore it" in result.output) == (2, True)


def test_flags_add_to_the_comparison_of_the_options() -> None:
    options = {"fullPage": True, "comparison": {"minPixels": 5, "maxShare": 0.5, "ignore": ["#ad"]}}
    assert with_comparison(options, {"minPixels": 9}, ("#clock",), None) == {
        "fullPage": True,
        "comparison": {"minPixels": 9, "maxShare": 0.5, "ignore": ["#ad", "#clock"]},
    }
    assert with_comparison(options, {}, (), None) == options
    assert with_comparison({}, {}, (), 0.1) == {"comparison": {"maxShare": 0.1}}

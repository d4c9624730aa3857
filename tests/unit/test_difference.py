"""Comparing two images: how much changed, where, and what is marked."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from PIL import Image, ImageDraw

from stillframe.comparison.difference import compare
from stillframe_cli.main import cli
from tests.support.drawings import encoded, paragraphs, text_lines, with_insertion
from tests.support.pixels import Pixels

TINTED_BLUE = (127, 0, 159)


def image(
    size: tuple[int, int] = (200, 100), box: tuple[int, int, int, int] | None = None, encoding: str = "PNG"
) -> bytes:
    """An encoded white image, with a blue box if one is given."""
    drawn = Image.new("RGB", size, "white")
    if box is not None:
        ImageDraw.Draw(drawn).rectangle((box[0], box[1], box[2] - 1, box[3] - 1), fill="#0000ff")
    file = io.BytesIO()
    drawn.save(file, encoding)
    return file.getvalue()


def test_equal_images_have_no_difference() -> None:
    difference = compare(image(box=(10, 10, 50, 50)), image(box=(10, 10, 50, 50)))
    assert (difference.is_empty, difference.pixels, difference.perceived) == (True, 0, 0)


def test_changed_pixels_are_counted_located_and_marked() -> None:
    # Given / When an image with a box of 40 x 20 is compared with one without it
    difference = compare(image(), image(box=(100, 30, 140, 50)))
    # Then 800 of 20,000 pixels changed, and they have a red tint in the marked image, below which they are still blue
    assert difference.pixels == 800 / 20_000
    assert difference.box == (100, 30, 140, 50)
    assert difference.perceived > 0
    marked = Pixels(difference.marked)
    assert (marked.size, marked.count(TINTED_BLUE)) == ((200, 100), 800)


def test_an_image_that_grew_changed_where_it_grew() -> None:
    difference = compare(image((200, 100)), image((200, 150)))
    assert (difference.pixels, difference.box) == (50 / 150, (0, 100, 200, 150))


def test_encoder_noise_is_not_a_change() -> None:
    difference = compare(image(), image(encoding="JPEG"))
    assert difference.is_empty


def test_the_perceived_difference_separates_a_shift_from_another_page() -> None:
    one = image(box=(20, 20, 180, 60))
    shifted, other = image(box=(22, 20, 182, 60)), image(box=(0, 50, 60, 100))
    assert compare(one, shifted).perceived < compare(one, other).perceived


def test_data_that_is_not_an_image_is_refused() -> None:
    with pytest.raises(ValueError, match="not an image"):
        compare(image(), b"%PDF-1.4")


@pytest.mark.parametrize(("fail_over", "status"), [(None, 0), ("0.5", 0), ("0.01", 1)])
def test_the_command_compares_files(tmp_path: Path, fail_over: str | None, status: int) -> None:
    # Given two files
    (tmp_path / "a.png").write_bytes(image())
    (tmp_path / "b.png").write_bytes(image(box=(100, 30, 140, 50)))
    # When they are compared
    names = [str(tmp_path / "a.png"), str(tmp_path / "b.png"), "--out", str(tmp_path / "c.png"), "--json"]
    result = CliRunner().invoke(cli, ["diff", *names, *(["--fail-over", fail_over] if fail_over else [])])
    # Then it prints how much changed, and writes both images and the marked one
    assert result.exit_code == status
    assert json.loads(result.stdout)["difference"] == 0.04
    assert json.loads(result.stdout)["changed"] is True
    sheet = Pixels((tmp_path / "c.png").read_bytes())
    assert (sheet.count((0, 0, 255)), sheet.count(TINTED_BLUE)) == (800, 800)


def test_the_command_says_what_moved_and_what_changed(tmp_path: Path) -> None:
    # Given a page, and the same with a block on top of it
    page = paragraphs(text_lines(20))
    (tmp_path / "a.png").write_bytes(encoded(page))
    (tmp_path / "b.png").write_bytes(encoded(with_insertion(page, 0, Image.new("RGB", (400, 50), "#ffcc00"))))
    files = [str(tmp_path / "a.png"), str(tmp_path / "b.png")]
    # When they are compared for people and for programs, then both say that the text has moved
    text = CliRunner().invoke(cli, ["diff", *files, "--out", str(tmp_path / "c.html")]).stdout
    assert "added: 400 x 50 at 0,0" in text
    assert "moved down by 50 pixels" in text
    assert "Moved down by 50 pixels" in (tmp_path / "c.html").read_text()
    printed = json.loads(CliRunner().invoke(cli, ["diff", *files, "--json"]).stdout)
    assert printed["regions"] == [{"kind": "added", "box": [0, 0, 400, 50], "pixels": 20_000}]
    assert [move["by"] for move in printed["moved"]] == [50]


@pytest.mark.parametrize(
    ("options", "changed"),
    [
        ([], True),
        (["--ignore-box", "100,30,40,20"], False),
        (["--ignore-box", "100,30,40,19"], True),
        (["--min-pixels", "801"], False),
        (["--color-distance", "1"], False),
        (["--anti-aliasing", "--no-shifts"], True),
    ],
)
def test_the_command_leaves_out_what_it_is_told_to(tmp_path: Path, options: list[str], changed: bool) -> None:
    (tmp_path / "a.png").write_bytes(image())
    (tmp_path / "b.png").write_bytes(image(box=(100, 30, 140, 50)))
    files = [str(tmp_path / "a.png"), str(tmp_path / "b.png")]
    result = CliRunner().invoke(cli, ["diff", *files, *options, "--json"])
    assert json.loads(result.stdout)["changed"] is changed


def test_a_box_that_is_none_is_refused() -> None:
    result = CliRunner().invoke(cli, ["diff", "a.png", "b.png", "--ignore-box", "1,2,3"])
    assert (result.exit_code, "is not a box like 10,20,300,40" in result.output) == (2, True)


def test_the_command_names_what_it_cannot_find(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(image())
    result = CliRunner().invoke(cli, ["diff", str(tmp_path / "a.png"), "nobody"])
    assert result.exit_code == 1
    assert "There is no file nobody, and no deployment is selected" in result.output

"""File names that people recognize."""

from __future__ import annotations

import pytest

from stillframe_cli.filenames import MAX_NAME_CHARS, filename_for


@pytest.mark.parametrize(
    ("url", "taken", "name"),
    [
        ("https://example.com", set(), "example-com.png"),
        ("https://example.com/a/b?x=1#y", set(), "example-com-a-b.png"),
        ("http://127.0.0.1:8080/article.html", set(), "127-0-0-1-article.png"),
        ("https://example.com", {"example-com.png"}, "example-com-2.png"),
        ("https://example.com", {"example-com.png", "example-com-2.png"}, "example-com-3.png"),
        ("https://例え.jp/../../etc", set(), "jp-etc.png"),
        ("https://例え/", set(), "page.png"),
    ],
)
def test_a_name_is_readable_and_not_taken(url: str, taken: set[str], name: str) -> None:
    assert filename_for(url, "png", taken.__contains__) == name


def test_a_name_is_short_enough_for_a_file_system() -> None:
    assert len(filename_for("https://example.com/" + "x" * 5000, "png", lambda _: False)) == MAX_NAME_CHARS + 4

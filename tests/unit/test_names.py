"""File names that people recognize."""

from __future__ import annotations

import pytest

from stillframe_cli.local.names import MAX_NAME_CHARS, NamePool


@pytest.mark.parametrize(
    ("url", "taken", "name"),
    [
        ("https://example.com", set(), "example-com"),
        ("https://example.com/a/b?x=1#y", set(), "example-com-a-b"),
        ("http://127.0.0.1:8080/article.html", set(), "127-0-0-1-article"),
        ("https://example.com", {"example-com"}, "example-com-2"),
        ("https://example.com", {"example-com", "example-com-2"}, "example-com-3"),
        ("https://例え.jp/../../etc", set(), "jp-etc"),
        ("https://例え/", set(), "page"),
    ],
)
def test_a_name_is_readable_and_not_taken(url: str, taken: set[str], name: str) -> None:
    assert NamePool(taken).choose(url) == name


def test_pages_that_differ_in_their_query_get_different_names() -> None:
    pool = NamePool()
    assert [pool.choose(f"https://example.com/?n={n}") for n in range(3)] == [
        "example-com",
        "example-com-2",
        "example-com-3",
    ]


def test_a_name_is_short_enough_for_a_file_system() -> None:
    assert len(NamePool().choose("https://example.com/" + "x" * 5000)) == MAX_NAME_CHARS

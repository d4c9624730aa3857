"""A style sheet with `@import` is refused, as a browser would ignore the rule. One that only mentions it is not."""

from __future__ import annotations

import pytest

from stillframe.errors import InvalidRequest
from stillframe.request.options import RenderOptions


@pytest.mark.parametrize(
    "css",
    [
        "@import url(/fonts.css);",
        "@import 'https://example.com/fonts.css' layer(base) screen;",
        '@IMPORT "a.css"; body { color: red }',
        "/* first */ @import url(a.css);",
        "@charset 'utf-8';@import url('a.css') supports(display: grid);",
        # Browsers ignore one that comes late, and so would we.
        "body { color: red } @import url(a.css);",
        "@\\69mport url(a.css);",
        "@\\000069 mport url(a.css);",
        "@i\\mport url(a.css);",
        "a { content: '\\'' } @import url(a.css);",
        "a { background: url(b.png) } @import url(a.css);",
    ],
)
def test_an_import_is_refused_by_its_name(css: str) -> None:
    with pytest.raises(InvalidRequest, match=r"^options: css: @import is not supported"):
        RenderOptions.parse({"css": css})


@pytest.mark.parametrize(
    "css",
    [
        "/* @import url(a.css); */ body { color: red }",
        "/* @import",
        "a::after { content: '@import' }",
        'a::after { content: "\\"@import" }',
        "a { background: url(/@import) }",
        "@important { }",
        "@layer import { }",
        "@media print { a { color: red } }",
        "@font-face { font-family: a; src: url(a.woff2) }",
        "@\\ffffff import",
    ],
)
def test_a_style_sheet_without_an_import_is_accepted(css: str) -> None:
    RenderOptions.parse({"css": css})

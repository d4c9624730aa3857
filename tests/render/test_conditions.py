"""`waitForFunction`: an expression, a function or a promise, of which the result counts."""

from __future__ import annotations

import pytest

from tests.support.pixels import GREEN, RED, Pixels

from .conftest import Studio

# Turns green after a while that no other wait would see out. `value` is a name of the page's own.
PAGE = """<body style='background:#ff0000'><script>
  window.shop = { count: 0, isOpen() { return this.count > 0 } };
  window.value = 0;
  const isOpen = () => shop.count > 0;
  function hasOpened() { return isOpen() }
  class Shop { }
  setTimeout(() => { shop.count = 1; value = 1; document.body.style.background = '#00aa00' }, 900);
</script>"""


@pytest.mark.parametrize(
    "condition",
    [
        "shop.count > 0",
        "value === 1",
        "value === 1;\n",
        "value === 1 // once it is open",
        "() => shop.count > 0",
        "function () { return shop.count > 0 }",
        "async () => shop.count > 0",
        "async function isReady() { return shop.count > 0 }",
        "() => Promise.resolve(shop.count)",
        "(async () => shop.count > 0)()",
        "Promise.resolve(shop.count)",
        "await isOpen()",
        "isOpen",
        "hasOpened",
        "window.hasOpened",
        "shop.isOpen",
    ],
)
def test_a_condition_may_be_a_function_or_a_promise(studio: Studio, condition: str) -> None:
    # Given a page that is red until something has happened
    # When it is captured with a condition for that
    result = studio.render(PAGE, waitUntil="load", waitForFunction=condition)
    # Then it is captured once the condition is true
    assert (Pixels(result.data).at(5, 5), result.facts.settled) == (GREEN, True)


@pytest.mark.parametrize("condition", ["Shop", "window.shop", "1"])
def test_what_is_neither_called_nor_awaited_is_true_by_being_there(studio: Studio, condition: str) -> None:
    assert studio.pixels(PAGE, waitUntil="load", waitForFunction=condition).at(5, 5) == RED


@pytest.mark.parametrize("condition", ["() => false", "new Promise(() => {})", "async () => { while (true) await 0 }"])
def test_a_condition_that_never_comes_true_ends_at_the_timeout(studio: Studio, condition: str) -> None:
    # Given / When a condition that is false for ever, or never tells
    error = studio.render_error("<p>text</p>", waitForFunction=condition, timeoutMs=700, strict=True)
    # Then the capture fails in time
    assert error.code in ("READY_TIMEOUT", "NAVIGATION_TIMEOUT")


@pytest.mark.parametrize("condition", ["() => nobody.knows", "Promise.reject(new Error('no'))", "value ==="])
def test_a_condition_that_fails_is_reported_by_its_name(studio: Studio, condition: str) -> None:
    error = studio.render_error(PAGE, waitForFunction=condition)
    assert (error.code, error.message.partition(":")[0]) == ("SCRIPT_FAILED", "waitForFunction")

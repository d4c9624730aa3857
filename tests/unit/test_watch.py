"""What a watch remembers, and what may be declared."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from stillframe.request.capture_request import CaptureRequest
from stillframe.tenants.limits import TenantName
from stillframe.watches.declared import Declared
from stillframe.watches.watch import Watch, period_text
from stillframe_cli.watching.watches_file import read_watches

HOUR_MS = 3_600_000
START_MS = 1_767_225_600_000  # 2026-01-01T00:00:00Z
URL, OTHER = "https://example.com/", "https://example.org/"

RIGHT = {"urls": [URL], "every": "1h"}


def declared(**values: Any) -> Declared:
    return Declared.of("shop", {**RIGHT, **values})


def hours(watch: Watch, url: str = URL, until: int = 12) -> list[float]:
    return [(each - START_MS) / HOUR_MS for each in watch.periods(url, 0, START_MS + until * HOUR_MS)]


def test_a_period_has_an_id_of_its_own_that_no_tenant_can_take() -> None:
    # Given a watch, when the request of a period is made
    watch = Watch.new(declared(compare=True), START_MS)
    request = watch.request(URL, START_MS)
    # Then its id says which, and is valid
    assert request.id == f"{watch.series(URL)}:2026-01-01T00:00:00Z"
    assert CaptureRequest.from_body(request.to_body()) == request
    # And it begins with no name that a tenant may have
    with pytest.raises(ValidationError):
        TypeAdapter(TenantName).validate_python(request.id.partition(":")[0])
    assert request.options == {"compareTo": "previous"}


def test_what_was_watched_is_remembered() -> None:
    # Given a watch that is made, changed, paused and resumed
    watch = Watch.new(declared(), START_MS + 1)
    assert hours(watch) == [*range(1, 13)]
    watch = watch.changed_to(declared(every="2h", urls=[URL, OTHER]), START_MS + 3 * HOUR_MS + 1)
    watch = watch.paused(START_MS + 7 * HOUR_MS)
    watch = watch.resumed(START_MS + 9 * HOUR_MS)
    # Then its periods are those of each schedule in its time, without the pause
    assert hours(watch) == [1, 2, 3, 4, 6, 10, 12]
    # And a page has none before it was added
    assert hours(watch, OTHER) == [4, 6, 10, 12]


def test_a_page_that_was_left_out_keeps_its_history() -> None:
    # Given a watch of two pages, of which one is left out for some hours
    watch = Watch.new(declared(urls=[URL, OTHER]), START_MS)
    watch = watch.changed_to(declared(urls=[URL]), START_MS + 2 * HOUR_MS + 1)
    assert (list(watch.urls), watch.known_urls) == ([URL], [URL, OTHER])
    # Then the periods that it had are still known
    assert hours(watch, OTHER) == [1, 2]
    # And when it comes back, its periods are those of both times, also the latest first
    watch = watch.changed_to(declared(urls=[URL, OTHER]), START_MS + 9 * HOUR_MS)
    assert hours(watch, OTHER) == [1, 2, 10, 11, 12]
    backwards = watch.latest_periods(OTHER, 0, START_MS + 12 * HOUR_MS)
    assert list(backwards) == watch.periods(OTHER, 0, START_MS + 12 * HOUR_MS)[::-1]


def with_long_urls(turn: int, length: int, options: dict[str, Any]) -> Declared:
    urls = [f"https://example.com/{turn}/{number}/{'x' * length}" for number in range(1000)]
    return declared(urls=urls, options=options)


@pytest.mark.parametrize("options", [{}, {"css": "x" * 50_000}])
@pytest.mark.parametrize("length", [100, 225])
def test_what_is_remembered_fits_into_an_item(options: dict[str, Any], length: int) -> None:
    # Given a watch whose pages are replaced again and again, when it has had thousands of them
    watch = Watch.new(with_long_urls(0, length, options), START_MS)
    for turn in range(1, 4):
        watch = watch.changed_to(with_long_urls(turn, length, options), START_MS + turn * HOUR_MS)
    # Then an item of 400 KB can hold it, as it forgets the pages that were left out first
    assert len(watch.model_dump_json(by_alias=True)) < 398 * 1024
    assert "/2/999/" in watch.known_urls[-1]
    assert len(watch.known_urls) < 2000


def test_a_watch_that_was_removed_begins_again_when_it_is_declared() -> None:
    watch = Watch.new(declared(), START_MS).removed(START_MS + HOUR_MS)
    assert (watch.is_paused, watch.is_removed) == (True, True)
    again = watch.changed_to(declared(), START_MS + 5 * HOUR_MS)
    assert (again.is_paused, again.is_removed) == (False, False)
    assert hours(again) == [1, *range(6, 13)]


def test_a_watch_that_is_paused_stays_so_when_it_is_changed() -> None:
    watch = Watch.new(declared(), START_MS).paused(START_MS + HOUR_MS)
    changed = watch.changed_to(declared(every="2h"), START_MS + 5 * HOUR_MS)
    assert changed.is_paused
    assert hours(changed.resumed(START_MS + 7 * HOUR_MS)) == [1, 8, 10, 12]


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"urls": []}, "urls: has none"),
        ({"urls": 3}, "urls: must be a URL or a list of them"),
        ({"urls": ["https://user:s3cr3t@example.com/"]}, "https://example.com/: url: contains a user name"),
        ({"urls": ["file:///etc/passwd"]}, "file:///etc/passwd: "),
        ({"urls": [f"https://example.com/{n}" for n in range(1001)]}, "urls: more than 1,000"),
        ({"every": None}, "must have either every"),
        ({"cron": "0 * * * *"}, "must have either every"),
        ({"every": 5}, "every: must be a text"),
        ({"timezone": "UTC"}, "timezone: belongs to cron"),
        ({"spread": 1441}, "spread: must be between 0 and 1440"),
        ({"spread": True}, "spread: must be a whole number"),
        ({"compare": "yes"}, "compare: must be true, false, previous or baseline"),
        ({"confirm": True}, "confirm: needs compare"),
        ({"options": {"confirmChanges": True}}, "options.confirmChanges: belongs to the watch"),
        ({"options": {"fullPag": True}}, "fullPag"),
        ({"options": {"compareTo": "x"}}, "options.compareTo: belongs to the watch"),
        ({"options": {"headers": {"Authorization": "Bearer s3cr3t-value"}}}, "options: have a secret"),
        ({"evry": "1h"}, "evry: does not exist"),
    ],
)
def test_what_is_wrong_is_named(values: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match=r".") as raised:
        Declared.of("shop", {name: value for name, value in {**RIGHT, **values}.items() if value is not None})
    assert problem in str(raised.value)
    assert "s3cr3t" not in str(raised.value)


def test_a_file_has_watches_by_name(tmp_path: Path) -> None:
    # Given a file as in the documentation
    file = tmp_path / "watches.yaml"
    file.write_text(
        "watches:\n"
        "  shop:\n    urls: [https://example.com/, https://example.com/]\n    every: 1h\n    compare: true\n"
        '  news:\n    urls: https://example.org/\n    cron: "30 6 * * *"\n    timezone: Europe/Berlin\n'
        "    options: {fullPage: true}\n    spread: 10\n"
    )
    # When it is read
    shop, news = read_watches(file)
    # Then these are its watches
    assert (shop.name, shop.urls, shop.schedule.cron, shop.compare_to) == ("shop", (URL,), "0 */1 * * *", "previous")
    assert (news.schedule.timezone, news.options, news.spread_minutes) == ("Europe/Berlin", {"fullPage": True}, 10)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("watches: [", "is no YAML"),
        ("- a\n", "must have `watches:`"),
        ("watches: {}\nother: 1\n", "must have `watches:`"),
        ("watches:\n  shop: 3\n", "shop: the watch: must be a mapping"),
        ("watches:\n  sh op: {urls: https://example.com, every: 1h}\n", "sh op: the name must be"),
        ("watches:\n  shop: {urls: https://example.com, every: 7m}\n", "shop: every: '7m'"),
        ("watches:\n  no: {urls: https://example.com, every: 1h}\n", "the name (put it in quotation marks)"),
        ("watches:\n  12: {urls: https://example.com, every: 1h}\n", "the name (put it in quotation marks)"),
        (
            "watches:\n  shop: {urls: https://example.com, every: 1h}\n  shop: {urls: https://example.com, every: 1d}",
            "shop is there twice",
        ),
        ("watches:\n  shop: {urls: https://example.com, every: 1h, every: 2h}\n", "every is there twice"),
        ("watches:\n\tshop: {}\n", "is no YAML"),
        ("", "must have `watches:`"),
        ("[" * 5000, "is no YAML"),
        ("watches: !!python/object/apply:os.system ['true']\n", "is no YAML"),
    ],
)
def test_a_file_that_is_wrong_names_the_watch(tmp_path: Path, text: str, problem: str) -> None:
    file = tmp_path / "watches.yaml"
    file.write_text(text)
    with pytest.raises(ValueError, match=r".") as raised:
        read_watches(file)
    assert str(file) in str(raised.value)
    assert problem in str(raised.value)


def test_a_file_of_windows_is_read(tmp_path: Path) -> None:
    # Given a file with a byte order mark and Windows' line ends, and an anchor that two watches share
    file = tmp_path / "watches.yaml"
    text = "watches:\r\n  a: &a {urls: https://example.com/, every: 1h}\r\n  b: *a\r\n"
    file.write_bytes(b"\xef\xbb\xbf" + text.encode())
    # When it is read, then it has both
    assert [each.name for each in read_watches(file)] == ["a", "b"]


def test_a_period_is_written_as_the_scheduler_writes_times() -> None:
    assert period_text(START_MS + HOUR_MS) == "2026-01-01T01:00:00Z"

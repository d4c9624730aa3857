"""Which document's lifecycle events count, whatever order they arrive in."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from pyee import EventEmitter

from stillframe.request.options import WaitUntil
from stillframe_renderer.page.navigation import Navigation
from stillframe_renderer.page.preparation import Preparation


class Session(EventEmitter):
    """Emits lifecycle events of the main frame."""

    def emit_events(self, loader: str, *names: str) -> None:
        for name in names:
            self.emit("Page.lifecycleEvent", {"frameId": "main", "loaderId": loader, "name": name})


class FakeTab:
    """A tab whose session emits the given events before its document is committed."""

    frame_id = "main"

    def __init__(self, before_answer: list[tuple[str, ...]]) -> None:
        self.session = Session()
        self._before_answer = before_answer

    def navigate(self, url: str) -> asyncio.Future[dict[str, Any]]:
        for loader, *names in self._before_answer:
            self.session.emit_events(loader, *names)
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        answer.set_result({"loaderId": "page"})
        return answer


EMPTY = ("empty", "init", "DOMContentLoaded", "load")


@pytest.mark.parametrize(
    ("before", "after", "ready"),
    [
        ([EMPTY], [], False),
        ([EMPTY], [("page", "init")], False),
        ([EMPTY], [("page", "init", "load")], True),
        ([EMPTY, ("page", "init", "load")], [], True),
        ([("page", "init", "load"), ("next", "init")], [], False),
        ([("page", "init", "load"), ("next", "init")], [("next", "load")], True),
        ([("page", "init", "load")], [("next", "init")], False),
    ],
)
def test_a_page_is_ready_when_its_own_document_has_loaded(
    before: list[tuple[str, ...]], after: list[tuple[str, ...]], ready: bool
) -> None:
    async def scenario() -> bool:
        # Given a navigation, and the events before and after it is committed
        tab = FakeTab(before)
        navigation = Navigation(tab)  # type: ignore[arg-type]
        await navigation.navigate("http://page.example/", Preparation(tab.session))
        for loader, *names in after:
            tab.session.emit_events(loader, *names)
        try:
            await asyncio.wait_for(navigation.ready(WaitUntil.LOAD), 0.05)
        except TimeoutError:
            return False
        return True

    # Then it is ready once the document that the tab shows has loaded
    assert asyncio.run(scenario()) is ready

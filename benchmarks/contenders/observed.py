"""The limit with the DevTools commands that Stillframe sends for each page, and nothing else of what Stillframe does.

What it takes more than the limit is what checking and observing a page takes in Chromium.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import uvloop

from benchmarks.contenders.job import HEIGHT, WIDTH
from benchmarks.contenders.limit import Command, Page, Pipe, main
from stillframe_renderer.page.closing import SECOND_ENTRY
from stillframe_renderer.page.emulation import OUTER_SIZE
from stillframe_renderer.page.interception import DOCUMENTS
from stillframe_renderer.page.targets import ATTACH
from stillframe_renderer.page.world import WORLD_NAME

# Settling, measuring, and holding still.
SCRIPTS = 3


@dataclass(frozen=True, slots=True)
class ObservedPage(Page):
    """A page whose documents are checked and whose traffic, console and lifecycle are reported."""

    more_commands: ClassVar[tuple[Command, ...]] = (
        ("Page.setLifecycleEventsEnabled", {"enabled": True}),
        ("Network.enable", {}),
        ("Runtime.enable", {}),
        ("Target.setAutoAttach", ATTACH),
        ("Fetch.enable", {"patterns": [DOCUMENTS]}),
        ("Page.addScriptToEvaluateOnNewDocument", {"source": OUTER_SIZE % (WIDTH, HEIGHT)}),
        ("Page.addScriptToEvaluateOnNewDocument", {"source": SECOND_ENTRY, "worldName": WORLD_NAME}),
        ("Emulation.setEmulatedMedia", {"media": "screen"}),
    )

    async def measure(self, pipe: Pipe) -> None:
        in_frame = {"frameId": self.target, "worldName": WORLD_NAME}
        for number in range(SCRIPTS):
            world = await pipe.ask("Page.createIsolatedWorld", in_frame, self.session)
            script = {"expression": f"{number}", "contextId": world["executionContextId"]}
            await pipe.ask("Runtime.evaluate", script, self.session)


if __name__ == "__main__":
    uvloop.run(main(ObservedPage))

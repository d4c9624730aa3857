"""The Chromium process: how it is started, what contexts it gives, and how it is surely ended."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from pyppeteer.connection import CDPSession
from pyppeteer.errors import PyppeteerError

from stillframe.errors import BrowserCrashed

from . import flags
from .cpu import GroupCpu
from .members import Members
from .memory import GroupMemory
from .process import ProcessGroup, spawn
from .profile import Profile, sweep
from .transport import PipeConnection

LAUNCH_SECONDS = 20
# Reserved (RFC 6761, 6.4), and never asked for.
NOWHERE = "http://nowhere.invalid/"
# Each frame of a page is drawn to its window, which nobody sees; a picture is drawn for itself. So the window is low,
# and the page is told another size (Emulation.setDeviceMetricsOverride).
WINDOW = {"width": 1280, "height": 8}
# Every page waits for its first command, so that nothing of it is missed.
WAITING_PAGES = {
    "autoAttach": True,
    "waitForDebuggerOnStart": True,
    "flatten": True,
    "filter": [{"type": "page"}],
}


class Chromium:
    """One running browser: its process group, its profile, and its pipe."""

    def __init__(self, process: ProcessGroup, profile: Profile, connection: PipeConnection) -> None:
        self._process = process
        self._profile = profile
        # The one tab of each context; None until it is open.
        self._tabs: dict[str, str | None] = {}
        self._attached: dict[str, CDPSession] = {}
        self.connection = connection
        members = Members(process.pid)
        self.cpu = GroupCpu(members)
        self.memory = GroupMemory(members)
        self.captures = 0
        self.user_agent = ""
        self.used_too_much_memory = False
        connection.on("Target.attachedToTarget", self._on_target)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Whether the pipe is open: Chromium closes it when it dies, however it dies."""
        return not self.connection.closed.done()

    @classmethod
    async def launch(cls, executable: str, environment: Mapping[str, str] | None = None) -> Chromium:
        """Start a browser. Its environment is empty unless given, for the sake of what is in ours.

        Raises BrowserCrashed when it does not answer in time.
        """
        sweep()
        profile = Profile()
        arguments = [*flags.launch_flags(), f"--user-data-dir={profile.path}", "about:blank"]
        try:
            process, commands, answers = spawn(executable, arguments, environment or {})
        except OSError as error:
            profile.remove()
            raise BrowserCrashed(f"Chromium did not start: {error}") from error
        chromium = cls(process, profile, await PipeConnection.open(commands, answers))
        try:
            async with asyncio.timeout(LAUNCH_SECONDS):
                await chromium.connection.send("Target.setAutoAttach", WAITING_PAGES)
                version = await chromium.connection.send("Browser.getVersion")
                chromium.user_agent = version["userAgent"]
                await chromium.connection.send("Browser.setDownloadBehavior", {"behavior": "deny"})
        except (TimeoutError, PyppeteerError) as error:
            await chromium.kill()
            raise BrowserCrashed(f"Chromium did not start: {str(error) or 'no answer'} ({executable})") from error
        return chromium

    async def new_context(self, proxy: str) -> str:
        """The id of a context that shares nothing with another one, all of whose traffic goes to the proxy."""
        answer = await self.connection.send(
            "Target.createBrowserContext", {"proxyServer": proxy, "proxyBypassList": flags.PROXY_BYPASS}
        )
        context_id: str = answer["browserContextId"]
        self._tabs[context_id] = None
        return context_id

    async def new_page(self, context_id: str) -> tuple[CDPSession, str]:
        """The session and the target's id of the one page of a context. It waits for its first document.

        It is created with a url that is never asked for. An empty page would be a document of its own: it costs a
        tenth of a capture to make and to leave.
        """
        self.connection.send("Browser.setDownloadBehavior", {"behavior": "deny", "browserContextId": context_id})
        answer = await self.connection.send(
            "Target.createTarget", {"url": NOWHERE, "browserContextId": context_id, **WINDOW}
        )
        target_id: str = answer["targetId"]
        return self._attached.pop(target_id), target_id

    def permit(self, context_id: str, permissions: Sequence[str]) -> asyncio.Future[Any]:
        """Permissions (names of the DevTools protocol) that are not given are denied, without asking."""
        return self.connection.send(
            "Browser.grantPermissions", {"permissions": list(permissions), "browserContextId": context_id}
        )

    async def close_context(self, context_id: str) -> None:
        """With all that is in it. Raises PyppeteerError or ConnectionError when the browser is broken."""
        self._tabs.pop(context_id, None)
        await self.connection.send("Target.disposeBrowserContext", {"browserContextId": context_id})

    def _on_target(self, event: dict[str, Any]) -> None:
        """A capture has one tab. Browsers that know --block-new-web-contents open no other, the rest close it."""
        target = event["targetInfo"]
        context_id, target_id = target.get("browserContextId"), target["targetId"]
        if context_id not in self._tabs:
            return
        if self._tabs[context_id] is None:
            self._tabs[context_id] = target_id
            self._attached[target_id] = self.connection.adopt(target["type"], event["sessionId"])
        elif self._tabs[context_id] != target_id:
            self._refuse_popup(target_id, event["sessionId"])

    def _refuse_popup(self, target_id: str, session_id: str) -> None:
        self.connection.send("Target.closeTarget", {"targetId": target_id})
        # The page that opened it stands still while it waits.
        self.connection.request("Runtime.runIfWaitingForDebugger", {}, session_id)

    async def kill(self) -> None:
        """End the whole process group, reap it and remove its profile. Idempotent."""
        self._process.kill()
        await self.connection.dispose()
        await asyncio.to_thread(self._process.reap)
        self._profile.remove()

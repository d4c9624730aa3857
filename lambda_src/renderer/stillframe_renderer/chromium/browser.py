"""A Chromium browser: starting it, creating contexts and pages in it, and ending it with certainty."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pyppeteer.connection import CDPSession
from pyppeteer.errors import PyppeteerError

from stillframe import log_messages
from stillframe.errors import BrowserUnavailable

from . import flags, zygote
from .cpu import GroupCpu
from .last_words import LastWords
from .members import Members
from .memory import GroupMemory
from .process import ProcessGroup, Spawned
from .profile import Profile
from .start import start, take_started
from .transport import PipeConnection

logger = logging.getLogger(__name__)

LAUNCH_SECONDS = 20
# Loading an empty page takes a tenth of a second. Lambda ends an initialisation after ten.
TRIAL_SECONDS = 3
# A reserved name (RFC 6761, 6.4), which is never requested.
UNREQUESTED_URL = "http://nowhere.invalid/"
# Every frame of a page is painted to its window, which nobody sees; a screenshot is painted separately. So the window
# is almost flat, and the page sees another size (Emulation.setDeviceMetricsOverride).
WINDOW_SIZE = {"width": 1280, "height": 8}
# Every page waits for its first command, so that none of its events are missed, and so does every shared worker, which
# belongs to no page.
WAIT_FOR_COMMANDS = {
    "autoAttach": True,
    "waitForDebuggerOnStart": True,
    "flatten": True,
    "filter": [{"type": "page"}, {"type": "shared_worker"}],
}


class Chromium:
    """One running browser: its process group, its profile, and its pipe."""

    def __init__(
        self, process: ProcessGroup, profile: Profile, connection: PipeConnection, last_words: LastWords
    ) -> None:
        self._process = process
        self._profile = profile
        self._last_words = last_words
        # The one tab of each context; None until it is open.
        self._tabs: dict[str, str | None] = {}
        self._attached: dict[str, CDPSession] = {}
        # Who is told of the shared workers of each context.
        self._on_worker: dict[str, Callable[[dict[str, Any]], None]] = {}
        self.connection = connection
        members = Members(process.pid)
        self.cpu = GroupCpu(members)
        self.memory = GroupMemory(members)
        self.captures = 0
        self.has_opened_tab = False
        self.user_agent = ""
        # A renderer was killed for it, or the whole browser.
        self.used_too_much_memory = False
        self.used_up_memory = False
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
        """Start a browser, or take the one that was started ahead, and connect to it.

        Its environment is empty unless given, because ours may hold credentials. One whose zygote is on trial has to
        load a page; if it does not, another one is started without.

        Raises BrowserUnavailable, with the last lines that the browser printed, if it does not start and respond in
        time, or if its profile cannot be written.
        """
        try:
            chromium = await cls._launched(executable, environment)
            if not zygote.TRIAL.is_under_way or await chromium._loads_a_page():
                return chromium
            reason = await chromium.kill()
        except BrowserUnavailable as error:
            if not zygote.TRIAL.is_under_way:
                raise
            reason = str(error)
        logger.warning(log_messages.NO_ZYGOTE, extra={"reason": reason})
        zygote.TRIAL.conclude(works=False)
        return await cls._launched(executable, environment)

    @classmethod
    async def _launched(cls, executable: str, environment: Mapping[str, str] | None) -> Chromium:
        started = (None if environment else take_started(executable)) or start(executable, environment)
        connecting = asyncio.ensure_future(cls._connect(started.spawned, started.profile))
        try:
            chromium = await asyncio.shield(connecting)
        except asyncio.CancelledError:
            # A pipe that is given up while it is being connected is closed twice: by the event loop, and by its file
            # object. By then its descriptor may be someone else's. Connecting waits for nobody.
            with contextlib.suppress(BrowserUnavailable):
                await (await connecting).kill()
            raise
        try:
            async with asyncio.timeout(LAUNCH_SECONDS):
                await chromium.connection.send("Target.setAutoAttach", WAIT_FOR_COMMANDS)
                version = await chromium.connection.send("Browser.getVersion")
                chromium.user_agent = version["userAgent"]
                await chromium.connection.send("Browser.setDownloadBehavior", {"behavior": "deny"})
        except (TimeoutError, PyppeteerError, ConnectionError) as error:
            words = await chromium.kill()
            raise BrowserUnavailable(
                f"Chromium did not start: {words or str(error) or 'no response'} ({executable})"
            ) from error
        except asyncio.CancelledError:
            await chromium.kill()
            raise
        return chromium

    async def _loads_a_page(self) -> bool:
        """Load an empty page, to see whether this browser can start renderers. Ends the trial of its zygote if so."""
        try:
            async with asyncio.timeout(TRIAL_SECONDS):
                context_id = await self.new_context(flags.NO_PROXY)
                session, _ = await self.new_page(context_id)
                loaded = session.send("Page.navigate", {"url": "about:blank"})
                session.send("Runtime.runIfWaitingForDebugger")
                await loaded
                await session.send("Runtime.evaluate", {"expression": "1"})
                await self.close_context(context_id)
        except (TimeoutError, PyppeteerError, ConnectionError):
            return False
        zygote.TRIAL.conclude(works=True)
        return True

    @classmethod
    async def _connect(cls, spawned: Spawned, profile: Profile) -> Chromium:
        """Take over the pipes of a child. Raises BrowserUnavailable."""
        try:
            last_words = await LastWords.read(spawned.errors)
            return cls(spawned.group, profile, await PipeConnection.open(spawned.commands, spawned.answers), last_words)
        except OSError as error:
            spawned.group.kill()
            spawned.group.reap()
            profile.remove()
            raise BrowserUnavailable(f"Chromium did not start: {error}") from error

    async def new_context(self, proxy: str) -> str:
        """Create a context that shares nothing with others and sends all traffic to the proxy. Returns its id."""
        answer = await self.connection.send(
            "Target.createBrowserContext", {"proxyServer": proxy, "proxyBypassList": flags.PROXY_BYPASS}
        )
        context_id: str = answer["browserContextId"]
        self._tabs[context_id] = None
        return context_id

    async def new_page(self, context_id: str) -> tuple[CDPSession, str]:
        """Create the one page of a context. Returns its session and target id; it has not loaded a document yet.

        It is created with a URL that is never requested. An empty page would be a document of its own, and creating and
        leaving it costs a tenth of a capture.
        """
        self.connection.send("Browser.setDownloadBehavior", {"behavior": "deny", "browserContextId": context_id})
        answer = await self.connection.send(
            "Target.createTarget", {"url": UNREQUESTED_URL, "browserContextId": context_id, **WINDOW_SIZE}
        )
        target_id: str = answer["targetId"]
        return self._attached.pop(target_id), target_id

    def permit(self, context_id: str, permissions: Sequence[str]) -> asyncio.Future[Any]:
        """Grant these permissions (DevTools protocol names) in a context, and deny all others without a prompt."""
        return self.connection.send(
            "Browser.grantPermissions", {"permissions": list(permissions), "browserContextId": context_id}
        )

    def follow_workers(self, context_id: str, on_worker: Callable[[dict[str, Any]], None]) -> None:
        """Have this called with `Target.attachedToTarget` of a context's shared workers, to let them go."""
        self._on_worker[context_id] = on_worker

    async def close_context(self, context_id: str) -> None:
        """Close a context with everything in it. Idempotent.

        Raises PyppeteerError or ConnectionError if the browser is broken.
        """
        if context_id in self._tabs:
            del self._tabs[context_id]
            self._on_worker.pop(context_id, None)
            await self.connection.send("Target.disposeBrowserContext", {"browserContextId": context_id})

    def _on_target(self, event: dict[str, Any]) -> None:
        """Keep a capture to its one tab: popups are closed in browsers that lack --block-new-web-contents."""
        target = event["targetInfo"]
        context_id, target_id = target.get("browserContextId"), target["targetId"]
        if context_id not in self._tabs:
            return
        if target["type"] != "page":
            if context_id in self._on_worker:
                self._on_worker[context_id](event)
            return
        if self._tabs[context_id] is None:
            self._tabs[context_id] = target_id
            self._attached[target_id] = self.connection.adopt(target["type"], event["sessionId"])
        elif self._tabs[context_id] != target_id:
            self._refuse_popup(target_id, event["sessionId"])

    def _refuse_popup(self, target_id: str, session_id: str) -> None:
        self.connection.send("Target.closeTarget", {"targetId": target_id})
        # The page that opened it is blocked while the popup waits.
        self.connection.request("Runtime.runIfWaitingForDebugger", {}, session_id)

    def kill_now(self) -> None:
        """Kill the whole process group, and leave everything else to the kernel. May be called on any thread."""
        self._process.kill()

    async def kill(self) -> str:
        """Kill the whole process group, reap it and remove its profile. Returns its last words. Idempotent."""
        self._process.kill()
        await self.connection.dispose()
        await asyncio.to_thread(self._process.reap)
        self._profile.remove()
        return await self._last_words.close()

"""The Chromium process: how it is started, what contexts it gives, and how it is surely ended."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from pyppeteer.browser import Browser as Driver
from pyppeteer.browser import BrowserContext
from pyppeteer.errors import PyppeteerError

from stillframe.errors import BrowserCrashed

from . import flags
from .process import ProcessGroup, spawn
from .profile import Profile, sweep
from .transport import PipeConnection

LAUNCH_SECONDS = 20


class Chromium:
    """One running browser: its process group, its profile, and pyppeteer's driver on its pipe."""

    def __init__(self, process: ProcessGroup, profile: Profile, connection: PipeConnection) -> None:
        self._process = process
        self._profile = profile
        # The one tab of each context; None until it is open.
        self._tabs: dict[str, str | None] = {}
        self.connection = connection
        self.driver: Driver | None = None
        self.captures = 0
        self.user_agent = ""
        self.had_too_much_memory = False
        connection.on("Target.targetCreated", self._on_target)

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
                chromium.driver = await Driver.create(chromium.connection, [], False, None, None, None)
                version = await chromium.connection.send("Browser.getVersion")
                chromium.user_agent = version["userAgent"]
                await chromium.connection.send("Browser.setDownloadBehavior", {"behavior": "deny"})
        except (TimeoutError, PyppeteerError) as error:
            await chromium.kill()
            raise BrowserCrashed(f"Chromium did not start: {str(error) or 'no answer'} ({executable})") from error
        return chromium

    async def new_context(self, proxy: str, permissions: Sequence[str] = ()) -> BrowserContext:
        """A context that shares nothing with another one, all of whose traffic goes to the proxy.

        Permissions (names of the DevTools protocol) that are not given are denied, without asking.
        """
        assert self.driver is not None
        answer = await self.connection.send(
            "Target.createBrowserContext", {"proxyServer": proxy, "proxyBypassList": flags.PROXY_BYPASS}
        )
        context_id = answer["browserContextId"]
        self._tabs[context_id] = None
        await self.connection.send(
            "Browser.grantPermissions", {"permissions": list(permissions), "browserContextId": context_id}
        )
        await self.connection.send("Browser.setDownloadBehavior", {"behavior": "deny", "browserContextId": context_id})
        context = BrowserContext(self.driver, context_id)
        # The driver's own call for a context takes no proxy; this is the rest of what it does.
        self.driver._contexts[context_id] = context
        return context

    async def close_context(self, context: BrowserContext) -> None:
        """With all that is in it. Raises PyppeteerError or ConnectionError when the browser is broken."""
        self._tabs.pop(context._id, None)
        await context.close()

    def _on_target(self, event: dict[str, Any]) -> None:
        """A capture has one tab. Browsers that know --block-new-web-contents open no other, the rest close it."""
        target = event["targetInfo"]
        context_id = target.get("browserContextId")
        if target["type"] != "page" or context_id not in self._tabs:
            return
        if self._tabs[context_id] is None:
            self._tabs[context_id] = target["targetId"]
        elif self._tabs[context_id] != target["targetId"]:
            self.connection.send("Target.closeTarget", {"targetId": target["targetId"]})

    async def kill(self) -> None:
        """End the whole process group, reap it and remove its profile. Idempotent."""
        self._process.kill()
        await self.connection.dispose()
        await asyncio.to_thread(self._process.reap)
        self._profile.remove()

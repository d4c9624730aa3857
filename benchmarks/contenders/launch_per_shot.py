"""Plain pyppeteer, a browser for each picture: what most tutorials do."""

from __future__ import annotations

import asyncio
import os
import time

from pyppeteer import launch

from benchmarks.contenders.job import HEIGHT, WIDTH, Job, done, is_full_page


async def capture(chromium: str, url: str) -> int:
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    browser = await launch(
        executablePath=chromium, args=arguments, handleSIGINT=False, handleSIGTERM=False, handleSIGHUP=False
    )
    page = await browser.newPage()
    await page.setViewport({"width": WIDTH, "height": HEIGHT})
    await page.goto(url, {"waitUntil": "load"})
    data: bytes = await page.screenshot({"fullPage": is_full_page(url)})
    await browser.close()
    return len(data)


async def main() -> None:
    job = Job.read()
    left = iter(job.urls)

    async def tab() -> None:
        for url in left:
            started = time.monotonic()
            done(url, started, await capture(job.chromium, url))

    await asyncio.gather(*(tab() for _ in range(job.tabs)))


if __name__ == "__main__":
    asyncio.run(main())

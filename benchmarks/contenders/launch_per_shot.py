"""Plain pyppeteer with a browser per screenshot, as in most tutorials."""

from __future__ import annotations

import asyncio
import os
import time

from pyppeteer import launch

from benchmarks.contenders.job import HEIGHT, WIDTH, Job, is_full_page, report_capture


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
    urls = iter(job.urls)

    async def tab() -> None:
        for url in urls:
            started = time.monotonic()
            report_capture(url, started, await capture(job.chromium, url))

    await asyncio.gather(*(tab() for _ in range(job.tabs)))


if __name__ == "__main__":
    asyncio.run(main())

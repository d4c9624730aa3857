"""Playwright for Python, asynchronous, with a context per screenshot."""

from __future__ import annotations

import asyncio
import time

from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Page, async_playwright

from benchmarks.contenders.job import HEIGHT, WIDTH, Job, is_full_page, report_capture


async def main() -> None:
    job = Job.read()
    urls = iter(job.urls)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=job.chromium)

        async def capture(page: Page, url: str) -> bytes:
            if job.folder is None:
                await page.goto(url, wait_until="load")
                loaded: bytes = await page.screenshot(full_page=is_full_page(url))
                return loaded
            # A page that is never idle has no picture.
            try:
                await page.goto(url, wait_until="networkidle", timeout=job.timeout_ms)
                data: bytes = await page.screenshot(full_page=is_full_page(url), timeout=job.timeout_ms)
            except PlaywrightError:
                return b""
            job.store(url, data)
            return data

        async def tab() -> None:
            for url in urls:
                started = time.monotonic()
                context = await browser.new_context(viewport={"width": WIDTH, "height": HEIGHT})
                page = await context.new_page()
                data = await capture(page, url)
                report_capture(url, started, len(data))
                await context.close()

        await asyncio.gather(*(tab() for _ in range(job.tabs)))
        await browser.close()


if __name__ == "__main__":
    asyncio.run(main())

"""Playwright for Python, asynchronous, a context for each picture."""

from __future__ import annotations

import asyncio
import time

from playwright.async_api import async_playwright

from benchmarks.contenders.job import HEIGHT, WIDTH, Job, done, is_full_page


async def main() -> None:
    job = Job.read()
    left = iter(job.urls)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=job.chromium)

        async def tab() -> None:
            for url in left:
                started = time.monotonic()
                context = await browser.new_context(viewport={"width": WIDTH, "height": HEIGHT})
                page = await context.new_page()
                await page.goto(url, wait_until="load")
                data = await page.screenshot(full_page=is_full_page(url))
                done(url, started, len(data))
                await context.close()

        await asyncio.gather(*(tab() for _ in range(job.tabs)))
        await browser.close()


if __name__ == "__main__":
    asyncio.run(main())

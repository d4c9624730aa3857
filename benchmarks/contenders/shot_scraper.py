"""`shot-scraper multi`: one process works through a list of pages. It has no tabs, so several at once are processes."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
import time
from pathlib import Path

import playwright

from benchmarks.contenders.job import HEIGHT, WIDTH, Job, is_full_page, report_capture


def browsers_with(chromium: str, folder: Path) -> Path:
    """Create a folder like that of Playwright's downloads, because shot-scraper takes no path of a browser."""
    driver = Path(playwright.__file__).parent / "driver/package/browsers.json"
    listed = {each["name"]: each["revision"] for each in json.loads(driver.read_text())["browsers"]}
    place = folder / "browsers" / f"chromium_headless_shell-{listed['chromium-headless-shell']}"
    wrapper = place / "chrome-headless-shell-linux64/chrome-headless-shell"
    wrapper.parent.mkdir(parents=True)
    wrapper.write_text(f'#!/bin/sh\nexec "{chromium}" "$@"\n')
    wrapper.chmod(0o755)
    return place.parent


async def multi(job: Job, urls: list[str], folder: Path) -> None:
    """Run one process, which reports on standard error what it has written."""
    outputs = {str(folder / f"{number}.png"): url for number, url in enumerate(urls)}
    entries = [
        {"url": url, "output": output, "width": WIDTH, **({} if is_full_page(url) else {"height": HEIGHT})}
        for output, url in outputs.items()
    ]
    listed = folder / "shots.yml"
    # JSON is valid YAML.
    listed.write_text(json.dumps(entries))
    process = await asyncio.create_subprocess_exec(
        str(Path(sys.executable).with_name("shot-scraper")),
        *("multi", str(listed)),
        env={**os.environ, "PLAYWRIGHT_BROWSERS_PATH": str(browsers_with(job.chromium, folder))},
        stderr=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
    )
    assert process.stderr is not None
    started, messages = time.monotonic(), []
    async for line in process.stderr:
        text = line.decode(errors="replace")
        messages.append(text)
        for output in [each for each in outputs if f"'{each}'" in text and "written" in text]:
            data = Path(output).read_bytes()  # noqa: ASYNC240  # at once
            job.store(outputs[output], data)
            report_capture(outputs.pop(output), started, len(data))
            started = time.monotonic()
    if await process.wait() or outputs:
        sys.exit("".join(messages[-20:]))


async def main() -> None:
    job = Job.read()
    with tempfile.TemporaryDirectory() as folder:
        runs = []
        for number in range(job.tabs):
            own = Path(folder) / str(number)
            own.mkdir()
            runs.append(multi(job, job.urls[number :: job.tabs], own))
        await asyncio.gather(*runs)


if __name__ == "__main__":
    asyncio.run(main())

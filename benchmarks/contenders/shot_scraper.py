"""`shot-scraper multi`: one process, a list of shots. It has no tabs; more at once are more processes of it."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
import time
from pathlib import Path

import playwright

from benchmarks.contenders.job import HEIGHT, WIDTH, Job, done, is_full_page


def browsers_with(chromium: str, folder: Path) -> Path:
    """It takes no path of a browser: a folder that looks like that of Playwright's own downloads."""
    driver = Path(playwright.__file__).parent / "driver/package/browsers.json"
    listed = {each["name"]: each["revision"] for each in json.loads(driver.read_text())["browsers"]}
    place = folder / "browsers" / f"chromium_headless_shell-{listed['chromium-headless-shell']}"
    wrapper = place / "chrome-headless-shell-linux64/chrome-headless-shell"
    wrapper.parent.mkdir(parents=True)
    wrapper.write_text(f'#!/bin/sh\nexec "{chromium}" "$@"\n')
    wrapper.chmod(0o755)
    return place.parent


async def multi(job: Job, urls: list[str], folder: Path) -> None:
    """One process of it; it says on its standard error what it has written."""
    outputs = {str(folder / f"{number}.png"): url for number, url in enumerate(urls)}
    shots = [
        {"url": url, "output": output, "width": WIDTH, **({} if is_full_page(url) else {"height": HEIGHT})}
        for output, url in outputs.items()
    ]
    listed = folder / "shots.yml"
    # JSON is YAML.
    listed.write_text(json.dumps(shots))
    process = await asyncio.create_subprocess_exec(
        str(Path(sys.executable).with_name("shot-scraper")),
        *("multi", str(listed)),
        env={**os.environ, "PLAYWRIGHT_BROWSERS_PATH": str(browsers_with(job.chromium, folder))},
        stderr=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
    )
    assert process.stderr is not None
    started, told = time.monotonic(), []
    async for line in process.stderr:
        text = line.decode(errors="replace")
        told.append(text)
        for output in [each for each in outputs if f"'{each}'" in text and "written" in text]:
            done(outputs.pop(output), started, os.path.getsize(output))  # noqa: ASYNC240  # at once
            started = time.monotonic()
    if await process.wait() or outputs:
        sys.exit("".join(told[-20:]))


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

"""The page at `/` of `serve`, in a real browser: submit a URL, watch it arrive, look at it, try what failed again."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stillframe.egress.policy import EgressPolicy
from stillframe_renderer.browsers.engine import RenderEngine
from tests.support.rendering import local_engine, render

from .test_serve import call, start, stop, url_of

SMALL = {"viewport": {"width": 64, "height": 48}}
SCRIPT = (
    "const one = selector => document.querySelector(selector);"
    "const all = selector => [...document.querySelectorAll(selector)];"
    "const press = key => (document.activeElement ?? document).dispatchEvent("
    "new KeyboardEvent('keydown', { key, bubbles: true }));"
    "const until = async condition => { while (!condition()) await new Promise(r => setTimeout(r, 50)); };"
    "const loaded = image => image?.complete && image.naturalWidth > 0;"
)


@pytest.fixture(scope="module")
def service(chromium: str, tmp_path_factory: pytest.TempPathFactory, site: str) -> Iterator[tuple[RenderEngine, str]]:
    """A browser, and the service that it looks at."""
    process: subprocess.Popen[str] = start("--allow-host", site)
    try:
        url = url_of(process)
        with local_engine(chromium, policy=EgressPolicy.of(["127.0.0.1:*"])) as engine:
            yield engine, url
    finally:
        stop(process)


def visit(service: tuple[RenderEngine, str], script: str, **options: Any) -> str:
    """What the page says in its title after a script."""
    engine, url = service
    given = {"js": f"{SCRIPT} document.title = await (async () => {{ {script} }})();", "timeoutMs": 30_000, **options}
    title = render(engine, url, 60, **given).facts.title
    assert title is not None
    return title


def test_a_page_is_submitted_by_keyboard_and_watched_until_its_image_is_there(
    service: tuple[RenderEngine, str], site: str
) -> None:
    # Given a person who types an address and presses Enter, and looks at the newest card when it is there
    script = f"""
      const input = one('[name=url]'); input.focus(); input.value = 'http://{site}/colour?hex=00aa00&n=1';
      one('form').requestSubmit();
      await until(() => one('article'));
      const first = one('article .badge').textContent;
      await until(() => one('article .badge').textContent === 'captured' && loaded(one('article img')));
      one('article .preview').click();
      await until(() => loaded(one('dialog img')));
      const record = JSON.parse(one('dialog pre').textContent);
      const zoomed = (press('z'), one('.stage').dataset.zoom);
      one('dialog').close();
      await until(() => document.activeElement === one('article .preview'));
      return [first !== 'captured', record.status, record.url.endsWith('n=1'), zoomed,
              one('form output').textContent].join(' | ');
    """
    # When they have done so
    said = visit(service, script)
    # Then the card has arrived, the dialog has shown image and record, and the focus is where it was
    assert said == "true | success | true | actual | 1 screenshot"


def test_what_somebody_else_sends_appears_and_what_failed_says_why(
    service: tuple[RenderEngine, str], site: str
) -> None:
    # Given a screenshot that was sent by a program, and one that failed
    _, url = service
    blue = {"url": f"http://{site}/colour?hex=0000aa", "requestId": "by-program", "options": SMALL}
    missing = {"url": f"http://{site}/status?code=404", "requestId": "failing"}
    for body in (blue, {**missing, "options": {**SMALL, "failOnStatus": True}}):
        call(f"{url}/v1/screenshots", body, Prefer="wait=25")
    # When somebody opens the page and looks at the failed ones
    script = """
      await until(() => all('article').length >= 2);
      one('[data-status=failed]').click();
      const failed = all('article').map(each => one('#' + CSS.escape(each.id) + ' .note').textContent);
      one('#of-failing .again').click();
      await until(() => one('#of-failing')?.querySelector('.badge').textContent === 'failed');
      one('[data-status=""]').click();
      await until(() => loaded(one('#of-by-program img')));
      return [failed.length, failed[0].split(':')[0], !one('.problem').textContent].join(' | ');
    """
    said = visit(service, script)
    # Then both are there, the reason as well, and the failed one was tried again without a complaint
    assert said == "1 | STATUS_REFUSED | true"


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("ftp://example.com/", "only http and https"),
        ("http://", "has no host"),
        ("https://u:p@example.com/", "basicAuth"),
    ],
)
def test_a_wrong_address_is_answered_with_what_to_do(
    service: tuple[RenderEngine, str], typed: str, expected: str
) -> None:
    # Given / When somebody submits an address that is none
    said = visit(
        service,
        f"one('[name=url]').value = '{typed}'; one('form').requestSubmit();"
        "await until(() => !one('.problem').hidden); return one('.problem').textContent;",
    )
    # Then the page says the sentence of the API
    assert expected in said


def test_the_page_fits_a_phone(service: tuple[RenderEngine, str], tmp_path: Path) -> None:
    # Given a phone
    # When the page is opened there, and its screenshot looked at
    script = "await until(() => one('article')); one('article .preview').click(); const wide = innerWidth;"
    script += (
        "return [document.documentElement.scrollWidth <= wide, one('dialog').getBoundingClientRect().width <= wide]"
    )
    # Then nothing is wider than the window
    assert visit(service, f"{script}.join()", device="iphone-15") == "true,true"


def test_nothing_that_a_page_says_is_run(service: tuple[RenderEngine, str], site: str) -> None:
    # Given a page whose title is markup
    _, url = service
    html = "<title>&lt;img src=x onerror=document.title='taken'&gt;</title><p>page</p>"
    body = {"url": f"http://{site}/", "requestId": "hostile", "options": {**SMALL, "html": html}}
    call(f"{url}/v1/screenshots", body, Prefer="wait=25")
    # When it is in the gallery
    script = "await until(() => one('#of-hostile h2')); const head = one('#of-hostile h2');"
    said = visit(service, script + "return `${head.children.length} ${head.textContent}`")
    # Then it is text
    assert said == "0 <img src=x onerror=document.title='taken'>"

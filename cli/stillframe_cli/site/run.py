"""One start of `site` from the URL to manifest and gallery, however it ends."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

from stillframe.archive import Archive
from stillframe.clients import Clients
from stillframe.egress.policy import EgressPolicy
from stillframe.request.capture_request import CaptureRequest
from stillframe.request.options import SavedForm
from stillframe.settings import Settings

from ..console import print_note
from ..gallery import write_gallery
from ..input.allow_hosts import advise
from ..local.folder import OutputFolder, RunStopped
from ..local.interruption import EXIT_STATUS, Interruption
from ..local.results import SavedResults
from ..local.run import RunSettings
from ..session import embedded_environment
from .captures import SentCaptures
from .crawl import Crawl
from .crawl_file import CrawlFile, RobotsAnswer, new_name
from .discovery import Discovery
from .fetcher import Fetcher
from .frontier import Frontier, Limits
from .manifest import write_manifest
from .page_results import PageResults
from .page_url import normalize
from .robots import Robots, read_robots
from .robots_book import RobotsBook
from .scope import Scope
from .site_report import SiteReport, explain_single_page
from .sitemap import SitemapReader
from .worker import embedded_worker

SILENCE = "nothing was captured for two minutes: do workers run? `stillframe monitor` shows the queue"


@dataclass(frozen=True, slots=True)
class SiteOptions:
    """What is captured of a site, and how. `name` is that of the run, None for one of its own."""

    limits: Limits
    hosts: Sequence[str] = ()
    include: Sequence[str] = ()
    exclude: Sequence[str] = ()
    ignored_queries: Sequence[str] = ()
    reads_sitemap: bool = True
    ignores_robots: bool = False
    max_per_host: int = 4
    name: str | None = None
    again: bool = False
    retries_failed: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """Where the pages are captured, how to wait there, and how to let what has begun finish after a stop.

    `on_silence` is called when nothing was captured for long.
    """

    settings: Settings
    clients: Clients
    wait: Callable[[float], object]
    finish: Callable[[], None] = lambda: None
    on_silence: Callable[[], None] = lambda: None


OpenPlace = Callable[[Interruption], contextlib.AbstractContextManager[Place]]


def on_this_machine(run: RunSettings) -> OpenPlace:
    """The embedded environment with a worker."""

    @contextlib.contextmanager
    def open_place(interruption: Interruption) -> Iterator[Place]:
        with (
            embedded_environment(**run.to_variables()) as environment,
            embedded_worker(environment, interruption) as worker,
        ):
            yield Place(environment.settings, environment.clients, worker.wait, worker.finish)

    return open_place


def in_deployment(settings: Settings, clients: Clients) -> OpenPlace:
    """A deployment, whose workers capture whether or not this command runs."""

    @contextlib.contextmanager
    def open_place(interruption: Interruption) -> Iterator[Place]:
        yield Place(settings, clients, interruption.wait, on_silence=lambda: print_note(SILENCE))

    return open_place


def capture_site(
    start: CaptureRequest, options: SiteOptions, out: Path, open_place: OpenPlace, policy: EgressPolicy, as_json: bool
) -> int:
    """Capture a site into a directory, and print how that ended. Returns the exit status. Raises RunStopped."""
    report = SiteReport(as_json)
    with Interruption() as interruption, OutputFolder.open(out) as folder:
        run = _Run(start, options, folder, policy, report)
        try:
            is_complete = run.crawl(open_place, interruption)
        except BaseException:
            if run.results_in_order():
                with contextlib.suppress(RunStopped):
                    run.finish(is_complete=False)
            raise
        totals = run.finish(is_complete)
        summary = report.summary(run.results_in_order(), len(run.frontier.pages))
    if options.limits.max_depth and len(run.frontier.pages) == 1:
        explain_single_page(summary)
    report.print(summary, totals, out, policy)
    if is_complete:
        return summary.exit_status
    print_note(f"{summary.progress}; run it again to continue")
    return EXIT_STATUS


class _Run:
    """What one start of the command consists of."""

    def __init__(
        self,
        start: CaptureRequest,
        options: SiteOptions,
        folder: OutputFolder,
        policy: EgressPolicy,
        report: SiteReport,
    ) -> None:
        self._options = options
        self._folder = folder
        self._policy = policy
        self._report = report
        self._saved = SavedResults(folder)
        self._request = _with_links(start, options.ignored_queries)
        self._file = self._open_file()
        fetcher = Fetcher(policy)
        self._sitemaps = SitemapReader(fetcher.fetch, print_note)
        known = {origin: Robots(each.text, each.problem) for origin, each in self._file.robots.items()}
        self._robots = RobotsBook(
            lambda origin: read_robots(fetcher.fetch, origin), known, self._remember_robots, options.ignores_robots
        )
        scope = Scope(hosts=frozenset(options.hosts), include=options.include, exclude=options.exclude)
        self.frontier = Frontier(
            scope, options.limits, self._robots.allows, options.ignored_queries, options.ignores_robots
        )
        self._discovery = Discovery(
            self.frontier,
            scope,
            self._robots,
            self._read_listed if options.reads_sitemap and options.limits.max_depth else None,
        )
        self._results = PageResults(folder, self._saved, self._file.name, options.retries_failed)
        self.frontier.start(self._request.url)

    def crawl(self, open_place: OpenPlace, interruption: Interruption) -> bool:
        """Crawl until all is captured, or until the interruption. Raises RunStopped."""
        self._check_start()
        found = self._results.count
        crawl = Crawl(
            self.frontier,
            self._discovery,
            self._results,
            self._robots,
            self._options.max_per_host,
            lambda result: self._report.add(result, len(self.frontier.pages) - found),
        )
        if crawl.replay():
            return True
        with open_place(interruption) as place, self._report.progress:
            captures = SentCaptures(
                place.clients, place.settings, self._request.options, self._file.name, self._options.retries_failed
            )
            archive = Archive(place.clients, place.settings)
            if crawl.run(captures, archive, place.wait, lambda: interruption.came, place.on_silence):
                self._report.end()
                return True
            place.finish()
            crawl.collect(captures, archive)
            return False

    def finish(self, is_complete: bool) -> dict[str, Any]:
        """Write manifest and gallery, and return the totals. Raises RunStopped."""
        self._results.order(self.frontier.pages)
        results = self.results_in_order()
        write_gallery(self._folder.path, results, f"Stillframe: {self.frontier.pages[0].url}")
        return write_manifest(self._folder, self._file.name, self.frontier, self._results, is_complete)

    def results_in_order(self) -> list[dict[str, Any]]:
        """The results of all pages that have ended."""
        return [result for page in self.frontier.pages if (result := self._results.of(page)) is not None]

    def _open_file(self) -> CrawlFile:
        """What the directory remembers of this run; a new one if it has none. Raises click.UsageError."""
        options, path = self._options, self._folder.path
        try:
            found = CrawlFile.read(self._folder)
        except ValueError as error:
            raise click.UsageError(str(error)) from error
        if options.again:
            self._saved.forget()
            found = None
        if found is None:
            if not self._saved.is_new and self._saved.all():
                raise click.UsageError(f"{path} has the results of another command; choose another one with --out.")
            request = self._request
            name = options.name or new_name()
            found = CrawlFile(name=name, url=request.recorded_url, payload_hash=request.payload_hash)
            found.write(self._folder)
            self._saved.rewrite(())
        if found.payload_hash != self._request.payload_hash:
            raise click.UsageError(
                f"{path} has a run of {found.url} with another URL or other options. Choose another directory with "
                "--out, or begin anew with --again."
            )
        if options.name not in (None, found.name):
            raise click.UsageError(f"{path} has the run {found.name}. Choose another directory with --out.")
        return found

    def _check_start(self) -> None:
        """Raises click.ClickException if the site does not want its start page to be captured."""
        url = self.frontier.pages[0].url
        if self._robots.allows(url):
            return
        if advice := advise(url, self._policy):
            raise click.ClickException(f"{url} is not public. To capture it, add {advice}")
        problem = self._robots.of(url).problem
        reason = f"cannot be read ({problem}), which disallows everything (RFC 9309)" if problem else f"disallows {url}"
        raise click.ClickException(f"robots.txt {reason}. For a site of your own, use --ignore-robots.")

    def _remember_robots(self, origin: str, robots: Robots) -> None:
        if robots.problem and not self._file.robots:
            # The start page's own: the next start of the command tries again.
            return
        if robots.problem and not self._options.ignores_robots:
            print_note(f"{origin}/robots.txt cannot be read ({robots.problem}): nothing of it is captured")
        self._file.robots[origin] = RobotsAnswer(text=robots.text, problem=robots.problem)
        self._file.write(self._folder)

    def _read_listed(self, urls: list[str], is_wanted: Callable[[str], bool]) -> list[str]:
        if self._file.listed is None:
            self._file.listed = self._sitemaps.pages(urls, is_wanted)
            self._file.write(self._folder)
        return self._file.listed


def _with_links(start: CaptureRequest, ignored_queries: Sequence[str]) -> CaptureRequest:
    """The request of the start page, in its normal form, saving its links as well. Raises click.UsageError."""
    saved = [*(start.options.get("save") or [])]
    links = SavedForm.LINKS.value
    try:
        url = normalize(start.url, ignored_queries)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    return CaptureRequest(url=url, options={**start.options, "save": [*saved, *([] if links in saved else [links])]})


def with_allowed(policy: EgressPolicy, allow_hosts: Sequence[str]) -> EgressPolicy:
    """The policy with more hosts that are allowed though not public."""
    return replace(policy, allow_hosts=policy.allow_hosts | EgressPolicy.of(allow_hosts).allow_hosts)

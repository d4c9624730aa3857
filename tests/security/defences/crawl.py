"""What keeps a site from making a crawl reach, read or reveal what it must not."""

from __future__ import annotations

from .defence import RENDERER, SHARED, Defence

SITE = "cli/stillframe_cli/site"
REQUESTS = "tests/security/test_crawler_requests.py"

CRAWL = (
    Defence(
        "the addresses of robots.txt and sitemaps are judged",
        f"{SHARED}/egress/connection.py",
        "            self._policy.check_addresses(target.host, target.port, addresses)\n",
        "",
        f"{REQUESTS}::test_no_redirect_leads_to_a_forbidden_address[inward.test]",
    ),
    Defence(
        "an answer that comes slowly is cut off",
        f"{SHARED}/egress/connection.py",
        "                self._socket.shutdown(socket.SHUT_RDWR)\n",
        "                return\n",
        f"{REQUESTS}::test_a_body_that_comes_slowly_ends_in_time",
    ),
    Defence(
        "nothing is put into a request of the crawler",
        f"{SITE}/fetcher.py",
        "    if any(char.isspace() or not char.isprintable() for char in url):\n",
        "    if not url:\n",
        f"{REQUESTS}::test_nothing_is_put_into_a_request",
    ),
    Defence(
        "redirects of the crawler's requests end",
        f"{SITE}/fetcher.py",
        "        for _ in range(MAX_REDIRECTS + 1):\n",
        "        for _ in range(100):\n",
        f"{REQUESTS}::test_as_many_redirects_are_followed_as_crawlers_should",
    ),
    Defence(
        "no more is unpacked than there may be",
        f"{SITE}/fetcher.py",
        "        unpacked = unpacker.decompress(body, max_bytes + 1)\n",
        "        unpacked = unpacker.decompress(body)[:max_bytes]\n",
        f"{REQUESTS}::test_no_more_is_read_than_there_may_be[bomb]",
    ),
    Defence(
        "no sitemap has entities",
        f"{SITE}/sitemap.py",
        "    except DefusedXmlException:\n",
        "    except ZeroDivisionError:\n",
        "tests/unit/test_sitemap.py::test_a_file_counts_as_far_as_it_can_be_read",
    ),
    Defence(
        "robots.txt that cannot be read disallows everything",
        f"{SITE}/robots.py",
        "DISALLOW_ALL if self.problem else self.text",
        "self.text",
        f"{REQUESTS}::test_robots_that_lead_inside_disallow_everything",
    ),
    Defence(
        "no link with a password is stored",
        f"{RENDERER}/page/page_links.py",
        " || url.username || url.password",
        "",
        "tests/render/test_page_links.py::test_links_are_absolute_and_without_fragments",
    ),
    Defence(
        "no URL with a password is captured",
        f"{SITE}/page_url.py",
        '    if "@" in parts.netloc:\n',
        "    if not parts.netloc:\n",
        "tests/unit/test_page_url.py::test_what_is_no_page_is_refused_without_being_quoted",
    ),
    Defence(
        "a page of endless links keeps the first",
        f"{RENDERER}/page/page_links.py",
        "      else if (links.size < count) links.set(",
        "      else links.set(",
        "tests/render/test_page_links.py::test_a_page_of_endless_links_keeps_the_first",
    ),
    Defence(
        "what is left out is bounded",
        f"{SITE}/left_out.py",
        "            if len(self._reasons) >= MAX_REMEMBERED or self._chars + len(url) > MAX_REMEMBERED_CHARS:\n",
        "            if len(self._reasons) >= MAX_REMEMBERED:\n",
        "tests/unit/test_frontier.py::test_what_is_left_out_is_bounded_by_its_length_too",
    ),
)

"""What keeps requesters from the secrets and screenshots of others, and pages from what all captures share."""

from __future__ import annotations

from .defence import GUARD, RENDERER, SHARED, Defence

REQUESTER = (
    Defence(
        "a grant is for one origin",
        f"{SHARED}/request/secret_grant.py",
        "is_origin = origin_of(url) == (self.scheme, self.host, self.port)",
        "is_origin = origin_of(url)[1] == self.host",
        "tests/security/test_requesters.py::test_a_grant_is_for_one_origin_and_optionally_for_one_tenant",
    ),
    Defence(
        "a grant may be for one tenant",
        f"{SHARED}/request/secret_grant.py",
        "self.tenant in (None, tenant)",
        "True",
        "tests/security/test_requesters.py::test_a_grant_is_for_one_origin_and_optionally_for_one_tenant",
    ),
    Defence(
        "a request with a secret reference has no scripts",
        f"{SHARED}/request/options/model.py",
        "        if self.has_references():\n",
        "        if False:\n",
        "tests/security/test_requesters.py::test_a_request_that_could_read_its_own_references_is_refused",
    ),
    Defence(
        "a cookie by reference has no domain",
        f"{SHARED}/request/options/access.py",
        "if isinstance(self.value, SecretReference) and self.domain is not None:",
        "if False:",
        "tests/security/test_requesters.py::test_a_request_that_could_read_its_own_references_is_refused",
    ),
    Defence(
        "no script reads a cookie by reference",
        f"{SHARED}/request/options/access.py",
        "self.http_only or is_reference",
        "self.http_only",
        "tests/security/test_requesters.py::test_a_cookie_by_reference_goes_to_its_host_and_not_to_scripts",
    ),
    Defence(
        "a secret is removed from what is stored",
        f"{RENDERER}/message/job.py",
        "result = redacted(tools.renderer.render(url, resolved, self._deadline), secrets)",
        "result = tools.renderer.render(url, resolved, self._deadline)",
        "tests/security/test_requesters.py::test_a_header_by_reference_is_hidden_even_if_the_page_shows_it",
    ),
    Defence(
        "a comparison stays within a request or a tenant",
        f"{RENDERER}/message/comparison.py",
        "if earlier.record is not None and not _may_compare(delivery, earlier.record):",
        "if False:",
        "tests/security/test_requesters.py::test_a_comparison_reveals_nothing_about_another_request",
    ),
    Defence(
        "a host has one canonical form",
        f"{SHARED}/egress/hosts.py",
        'name = _ascii(text).rstrip(".")',
        "name = _ascii(text)",
        "tests/unit/test_hosts.py::test_another_spelling_does_not_bypass_the_deny_list",
    ),
    Defence(
        "lookups end with their capture",
        f"{GUARD}/server.py",
        "            await session.close()\n",
        "",
        "tests/security/test_lookups.py::test_lookups_end_with_their_capture",
    ),
    Defence(
        "the lookups of a capture are limited",
        f"{GUARD}/session.py",
        "                raise Refusal(Reason.LOOKUPS)\n",
        "                pass\n",
        "tests/security/test_lookups.py::test_the_lookups_of_a_capture_are_limited",
    ),
    Defence(
        "long events are dropped",
        f"{RENDERER}/chromium/pipe.py",
        "            if length > MAX_EVENT_BYTES and length > message_limit(prefix):\n",
        "            if False:\n",
        "tests/unit/test_pipe.py::test_an_event_that_is_too_long_is_dropped",
    ),
    Defence(
        "other people's text has no effect on a terminal",
        f"{SHARED}/printable.py",
        "    return text.translate(ESCAPES)\n",
        "    return text\n",
        "tests/unit/test_printable.py::test_no_field_of_a_record_is_printed_unescaped",
    ),
)

"""What keeps a page from what it must not reach."""

from __future__ import annotations

from .defence import GUARD, RENDERER, SHARED, Defence

NETWORK = (
    # The way to the guard.
    Defence(
        "loopback goes through the guard",
        f"{RENDERER}/chromium/flags.py",
        'PROXY_BYPASS = "<-loopback>"',
        'PROXY_BYPASS = ""',
        "tests/security/test_attacks.py::test_a_refused_host_is_logged_once",
    ),
    Defence(
        "each capture goes through a guard of its own",
        f"{RENDERER}/chromium/browser.py",
        '{"proxyServer": proxy,',
        '{"proxyServer": "direct://",',
        "tests/security/test_attacks.py::test_a_refused_host_is_logged_once",
    ),
    Defence(
        "WebRTC sends nothing past the guard",
        f"{RENDERER}/chromium/flags.py",
        '    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",\n',
        "",
        "tests/security/test_attacks.py::test_a_vector_that_bypasses_proxies_is_blocked[web-rtc-udp]",
    ),
    Defence(
        "a tab that belongs to no capture has no network",
        f"{RENDERER}/chromium/flags.py",
        '    f"--proxy-server={NO_PROXY}",\n',
        "",
        "tests/security/test_confinement.py::test_a_tab_outside_any_capture_reaches_nothing",
    ),
    # What the guard refuses.
    Defence(
        "addresses that are not public are refused",
        f"{SHARED}/egress/policy.py",
        "        if not kind.is_public:\n",
        "        if kind is None:\n",
        "tests/unit/test_egress.py::test_a_special_address_is_blocked",
    ),
    Defence(
        "a name with one address that is not public is refused",
        f"{SHARED}/egress/policy.py",
        "        for address in resolved:\n",
        "        for address in resolved[:1]:\n",
        "tests/unit/test_egress.py::test_a_name_with_one_non_public_address_is_refused",
    ),
    Defence(
        "a name without an address is refused",
        f"{SHARED}/egress/policy.py",
        "        if not resolved:\n",
        "        if resolved is None:\n",
        "tests/unit/test_egress.py::test_a_name_without_an_address_is_refused",
    ),
    Defence(
        "IPv4 addresses embedded in IPv6 addresses are checked",
        f"{SHARED}/egress/policy.py",
        "    return (address, *embedded_addresses(address))\n",
        "    return (address,)\n",
        "tests/unit/test_egress.py::test_the_deny_list_takes_precedence_over_everything",
    ),
    Defence(
        "no allowed host leads to the emulator of this machine",
        f"{SHARED}/egress/policy.py",
        "if port in self.own_ports and any(",
        "if False and any(",
        "tests/unit/test_egress.py::test_no_exception_leads_to_the_emulator_of_this_machine",
    ),
    Defence(
        "the guard connects to the address that it checked",
        f"{GUARD}/session.py",
        "await open_connection(str(address), port)",
        "await open_connection(host, port)",
        "tests/security/test_guard.py::test_it_dials_the_addresses_that_it_checked",
    ),
    Defence(
        "a name keeps its addresses during a capture",
        f"{GUARD}/session.py",
        "        if host not in self._answers:\n",
        "        if True:\n",
        "tests/security/test_guard.py::test_a_rebound_name_keeps_its_address",
    ),
    Defence(
        "the guard never connects to a guard",
        f"{GUARD}/session.py",
        "        if port in self._own_ports and",
        "        if port in () and",
        "tests/security/test_guard.py::test_it_never_connects_to_a_guard",
    ),
    Defence(
        "only the default and the configured ports are allowed",
        f"{SHARED}/egress/policy.py",
        "        if port not in self.ports:\n",
        "        if port is None:\n",
        "tests/unit/test_egress.py::test_only_the_default_and_the_configured_ports_are_allowed",
    ),
    Defence(
        "local names are refused",
        f"{SHARED}/egress/policy.py",
        "        if is_local_name(host):\n",
        "        if host is None:\n",
        "tests/unit/test_egress.py::test_a_special_address_is_blocked",
    ),
    Defence(
        "names on the deny-list are refused",
        f"{SHARED}/egress/policy.py",
        "        if self._is_denied_name(host):\n",
        "        if host is None:\n",
        "tests/unit/test_egress.py::test_the_deny_list_takes_precedence_over_everything",
    ),
    Defence(
        "an exception is for an exact host and port",
        f"{SHARED}/egress/policy.py",
        "is_plain = port in DEFAULT_PORTS.values() and",
        "is_plain =",
        "tests/unit/test_egress.py::test_an_exception_is_for_an_exact_host_and_port",
    ),
    Defence(
        "the bytes of a page are limited",
        f"{GUARD}/session.py",
        "            raise Refusal(Reason.BYTES)\n",
        "            pass\n",
        "tests/security/test_guard.py::test_the_bytes_of_a_page_are_limited",
    ),
    Defence(
        "the connections of a capture are limited",
        f"{GUARD}/session.py",
        "            raise Refusal(Reason.LIMIT)\n",
        "            pass\n",
        "tests/security/test_guard.py::test_the_connections_of_a_capture_are_limited",
    ),
    Defence(
        "connections end with their capture",
        f"{GUARD}/server.py",
        "                task.cancel()\n            await asyncio.gather(*connections, return_exceptions=True)\n",
        "                pass\n",
        "tests/security/test_guard.py::test_open_connections_end_with_the_capture",
    ),
    # How the guard reads HTTP.
    Defence(
        "the head of a request is limited",
        f"{GUARD}/connection.py",
        "            if size > MAX_HEAD_BYTES and not request.has_head:\n",
        "            if size is None:\n",
        "tests/security/test_guard_http.py::test_a_malformed_request_goes_nowhere",
    ),
    Defence(
        "a plain request is for http and has no credentials",
        f"{GUARD}/messages.py",
        'if url.schema != b"http" or not url.host or url.userinfo:',
        "if not url.host:",
        "tests/security/test_guard_http.py::test_a_malformed_request_goes_nowhere",
    ),
    Defence(
        "an authority has a host and a port",
        f"{GUARD}/messages.py",
        "        if not colon or not host or not port.isdigit():\n            raise Refusal(Reason.UNPARSABLE)\n",
        '        port = port if port.isdigit() else "443"\n',
        "tests/security/test_guard_http.py::test_a_malformed_request_goes_nowhere",
    ),
    Defence(
        "headers for the proxy are not passed on",
        f"{GUARD}/messages.py",
        'HOP_BY_HOP = frozenset({b"proxy-connection", b"proxy-authorization", b"proxy-authenticate"})',
        "HOP_BY_HOP: frozenset[bytes] = frozenset()",
        "tests/security/test_guard_http.py::test_a_plain_request_is_forwarded_in_origin_form",
    ),
    Defence(
        "the Host header is that of the URL",
        f"{GUARD}/messages.py",
        'not in HOP_BY_HOP | {b"host"}]',
        "not in HOP_BY_HOP]",
        "tests/security/test_guard_http.py::test_a_plain_request_is_forwarded_in_origin_form",
    ),
)

"""Each defence, how it is taken away from the code, and the test that must fail without it."""

from __future__ import annotations

from dataclasses import dataclass

GUARD = "lambda_src/renderer/guard"
RENDERER = "lambda_src/renderer"
SHARED = "layers/stillframe/python/stillframe"


@dataclass(frozen=True)
class Defence:
    """`present` occurs once in `file`; with `removed` in its place the defence is gone."""

    name: str
    file: str
    present: str
    removed: str
    test: str


DEFENCES = (
    # The way to the guard.
    Defence(
        "loopback goes through the guard",
        f"{RENDERER}/flags.py",
        'PROXY_BYPASS = "<-loopback>"',
        'PROXY_BYPASS = ""',
        "tests/security/test_attacks.py::test_one_line_tells_of_a_refused_host",
    ),
    Defence(
        "each capture goes through a guard of its own",
        f"{RENDERER}/chromium.py",
        '{"proxyServer": proxy,',
        '{"proxyServer": "direct://",',
        "tests/security/test_attacks.py::test_one_line_tells_of_a_refused_host",
    ),
    Defence(
        "WebRTC sends nothing past the guard",
        f"{RENDERER}/flags.py",
        '    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",\n',
        "",
        "tests/security/test_attacks.py::test_a_way_past_any_proxy_is_closed[web-rtc-udp]",
    ),
    # What the guard refuses.
    Defence(
        "addresses have classes",
        f"{SHARED}/egress.py",
        "        if not kind.is_public:\n",
        "        if kind is None:\n",
        "tests/unit/test_egress.py::test_a_special_address_is_blocked",
    ),
    Defence(
        "one answer that is not public refuses the name",
        f"{SHARED}/egress.py",
        "        for address in resolved:\n",
        "        for address in resolved[:1]:\n",
        "tests/unit/test_egress.py::test_one_address_that_is_not_public_refuses_the_name",
    ),
    Defence(
        "a name without an address is refused",
        f"{SHARED}/egress.py",
        "        if not resolved:\n",
        "        if resolved is None:\n",
        "tests/unit/test_egress.py::test_a_name_without_an_address_is_refused",
    ),
    Defence(
        "addresses inside addresses are seen",
        f"{SHARED}/egress.py",
        '        inner = getattr(address, "ipv4_mapped", None)\n',
        "        inner = None\n",
        "tests/unit/test_egress.py::test_the_deny_list_goes_before_everything",
    ),
    Defence(
        "what was judged is what is dialled",
        f"{GUARD}/session.py",
        "await open_connection(str(address), port)",
        "await open_connection(host, port)",
        "tests/security/test_guard.py::test_it_dials_the_addresses_that_it_judged",
    ),
    Defence(
        "a name has one answer for a capture",
        f"{GUARD}/session.py",
        "        if host not in self._answers:\n",
        "        if True:\n",
        "tests/security/test_guard.py::test_a_name_that_is_bound_anew_stays_where_it_was",
    ),
    Defence(
        "a guard is never connected to",
        f"{GUARD}/session.py",
        "        if port in self._own_ports and",
        "        if port in () and",
        "tests/security/test_guard.py::test_it_never_connects_to_a_guard",
    ),
    Defence(
        "ports are few",
        f"{SHARED}/egress.py",
        "        if port not in self.ports:\n",
        "        if port is None:\n",
        "tests/unit/test_egress.py::test_only_the_default_ports_and_those_that_are_set_are_allowed",
    ),
    Defence(
        "local names are refused",
        f"{SHARED}/egress.py",
        "        if is_local_name(host):\n",
        "        if host is None:\n",
        "tests/unit/test_egress.py::test_a_special_address_is_blocked",
    ),
    Defence(
        "the deny-list of names",
        f"{SHARED}/egress.py",
        "        if self._is_denied_name(host):\n",
        "        if host is None:\n",
        "tests/unit/test_egress.py::test_the_deny_list_goes_before_everything",
    ),
    Defence(
        "an exception is for an exact port",
        f"{SHARED}/egress.py",
        "is_plain = port in DEFAULT_PORTS.values() and",
        "is_plain =",
        "tests/unit/test_egress.py::test_an_exception_is_for_an_exact_host_and_port",
    ),
    Defence(
        "a page has so many bytes",
        f"{GUARD}/session.py",
        "            raise Refusal(Reason.BYTES)\n",
        "            pass\n",
        "tests/security/test_guard.py::test_a_page_has_so_many_bytes_and_no_more",
    ),
    Defence(
        "a capture has so many connections",
        f"{GUARD}/session.py",
        "            raise Refusal(Reason.LIMIT)\n",
        "            pass\n",
        "tests/security/test_guard.py::test_a_capture_has_so_many_connections_and_no_more",
    ),
    Defence(
        "what is open ends with its capture",
        f"{GUARD}/server.py",
        "                task.cancel()\n            await asyncio.gather(*connections, return_exceptions=True)\n",
        "                pass\n",
        "tests/security/test_guard.py::test_what_is_open_ends_with_the_capture",
    ),
    # How the guard reads HTTP.
    Defence(
        "a head has so many bytes",
        f"{GUARD}/connection.py",
        "            if size > MAX_HEAD_BYTES and not request.has_head:\n",
        "            if size is None:\n",
        "tests/security/test_guard_http.py::test_what_is_not_well_formed_gets_nowhere",
    ),
    Defence(
        "a plain request is http and has no user",
        f"{GUARD}/messages.py",
        'if url.schema != b"http" or not url.host or url.userinfo:',
        "if not url.host:",
        "tests/security/test_guard_http.py::test_what_is_not_well_formed_gets_nowhere",
    ),
    Defence(
        "an authority has a host and a port",
        f"{GUARD}/messages.py",
        "        if not colon or not host or not port.isdigit():\n            raise Refusal(Reason.UNPARSABLE)\n",
        '        port = port if port.isdigit() else "443"\n',
        "tests/security/test_guard_http.py::test_what_is_not_well_formed_gets_nowhere",
    ),
    Defence(
        "what is meant for the proxy stays there",
        f"{GUARD}/messages.py",
        'HOP_BY_HOP = frozenset({b"proxy-connection", b"proxy-authorization", b"proxy-authenticate"})',
        "HOP_BY_HOP: frozenset[bytes] = frozenset()",
        "tests/security/test_guard_http.py::test_a_plain_request_goes_on_in_origin_form",
    ),
    Defence(
        "Host is that of the url",
        f"{GUARD}/messages.py",
        'not in HOP_BY_HOP | {b"host"}]',
        "not in HOP_BY_HOP]",
        "tests/security/test_guard_http.py::test_a_plain_request_goes_on_in_origin_form",
    ),
    # The second layer.
    Defence(
        "a page is http or https",
        f"{SHARED}/egress.py",
        "        if scheme not in PAGE_SCHEMES:\n",
        "        if scheme is None:\n",
        "tests/unit/test_egress.py::test_a_page_is_http_or_https",
    ),
    Defence(
        "the browser itself shows no file",
        f"{RENDERER}/interception.py",
        '        await self._session.send("Fetch.enable"',
        '        await self._session.send("Fetch.disable"); 0 and ("Fetch.enable"',
        "tests/security/test_confinement.py::test_a_browser_that_is_told_to_show_a_file_does_not",
    ),
    Defence(
        "the url is judged before it is asked for",
        f"{RENDERER}/page.py",
        "        self._policy.check_page(self._url)\n",
        "",
        "tests/security/test_attacks.py::test_a_scheme_that_is_no_page_is_refused",
    ),
    Defence(
        "popups are not opened",
        f"{RENDERER}/flags.py",
        '    "--block-new-web-contents",\n',
        "",
        "tests/security/test_confinement.py::test_a_page_opens_no_other",
    ),
    Defence(
        "popups of browsers that open them are closed",
        f"{RENDERER}/chromium.py",
        '            self.connection.send("Target.closeTarget"',
        '            print("Target.closeTarget"',
        "tests/security/test_confinement.py::test_a_browser_that_would_open_it_has_it_closed",
    ),
    Defence(
        "permissions are denied",
        f"{RENDERER}/chromium.py",
        '"Browser.grantPermissions", {"permissions": list(permissions), "browserContextId": context_id}',
        '"Browser.resetPermissions", {"browserContextId": context_id}',
        "tests/security/test_confinement.py::test_every_permission_is_denied",
    ),
    Defence(
        "dialogs are dismissed",
        f"{RENDERER}/page.py",
        '        session.on("Page.javascriptDialogOpening", self._on_dialog)\n',
        "",
        "tests/integration/test_render.py::test_dialogs_do_not_stop_a_page",
    ),
    # The process.
    Defence(
        "the browser's environment is empty",
        f"{RENDERER}/chromium.py",
        "environment or {}",
        "environment or __import__('os').environ",
        "tests/integration/test_browser.py::test_the_browser_gets_an_empty_environment_and_its_own_profile",
    ),
    Defence(
        "the worker's memory is closed to its user",
        f"{RENDERER}/process.py",
        "prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)",
        "prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)",
        "tests/integration/test_browser.py::test_a_child_of_the_same_user_cannot_read_the_workers_environment",
    ),
    Defence(
        "the browser is spoken to by a pipe",
        f"{RENDERER}/flags.py",
        '    "--remote-debugging-pipe",\n',
        '    "--remote-debugging-pipe",\n    "--remote-debugging-port=0",\n',
        "tests/security/test_confinement.py::test_there_is_no_port_to_speak_to_the_browser",
    ),
    Defence(
        "its files are limited",
        f"{RENDERER}/process.py",
        "        resource.prlimit(pid, limit, (value, value))\n",
        "        pass\n",
        "tests/security/test_confinement.py::test_a_browser_writes_no_core_and_no_huge_file",
    ),
    Defence(
        "its memory is limited",
        f"{RENDERER}/browser.py",
        "                    end_the_largest(chromium.pid)\n",
        "",
        "tests/security/test_confinement.py::test_a_page_with_too_much_memory_ends_alone",
    ),
    Defence(
        "it is replaced after so many captures",
        f"{RENDERER}/browser.py",
        "        if chromium.captures >= CAPTURES_PER_BROWSER:\n",
        "        if chromium.captures is None:\n",
        "tests/integration/test_browser.py::test_a_browser_is_replaced_after_so_many_captures",
    ),
    Defence(
        "it is killed with all its children",
        f"{RENDERER}/process.py",
        "                os.killpg(self.pid, signal.SIGKILL)\n",
        "                pass\n",
        "tests/security/test_confinement.py::test_a_browser_that_hangs_is_ended_with_all_its_children",
    ),
    Defence(
        "its profile goes with it",
        f"{RENDERER}/chromium.py",
        "        self._profile.remove()\n",
        "",
        "tests/security/test_hostile.py::test_nothing_is_left_of_them",
    ),
    Defence(
        "captures share no context",
        f"{RENDERER}/tab.py",
        "        context = await chromium.new_context(proxy)\n",
        '        context = chromium.__dict__.get("kept") or await chromium.new_context(proxy)\n'
        '        chromium.__dict__["kept"] = context\n'
        "        chromium.close_context = lambda _: __import__('asyncio').sleep(0)\n"
        "        chromium._tabs.clear()\n",
        "tests/security/test_isolation.py::test_a_capture_finds_nothing_of_the_one_before",
    ),
    # Secrets.
    Defence(
        "headers go to one origin",
        f"{RENDERER}/interception.py",
        'if not self._headers or origin_of(event["request"]["url"]) != self._origin:',
        "if not self._headers:",
        "tests/security/test_secrets.py::test_it_goes_to_no_third_party_and_no_redirect_target",
    ),
    Defence(
        "the record has no secrets",
        f"{SHARED}/request.py",
        'return parsed.model_dump(mode="json", by_alias=True, exclude_defaults=True)',
        "return dict(self._canonical_options)",
        "tests/security/test_secrets.py::test_neither_record_nor_log_nor_metric_nor_object_has_it",
    ),
    Defence(
        "errors do not quote what they refuse",
        f"{SHARED}/options/wire.py",
        "        hide_input_in_errors=True,\n",
        "",
        "tests/security/test_secrets.py::test_what_cannot_be_sent_is_refused_without_its_value",
    ),
    Defence(
        "a url has no password",
        f"{SHARED}/request.py",
        "        return without_credentials(self.url)\n",
        "        return self.url\n",
        "tests/security/test_secrets.py::test_neither_record_nor_log_nor_metric_nor_object_has_it",
    ),
    Defence(
        "a secret is granted for one host",
        f"{SHARED}/grant.py",
        "return self.arn == arn and self.authority in",
        "return self.arn == arn or self.authority in",
        "tests/security/test_secrets.py::test_a_secret_goes_to_no_host_but_the_one_it_is_granted_for",
    ),
)

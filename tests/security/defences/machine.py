"""What keeps a page from the machine, from other captures and from secrets."""

from __future__ import annotations

from .defence import RENDERER, SHARED, Defence

MACHINE = (
    # The second layer.
    Defence(
        "a page is http or https",
        f"{SHARED}/egress/policy.py",
        "    if scheme not in PAGE_SCHEMES:\n",
        "    if scheme is None:\n",
        "tests/unit/test_egress.py::test_a_page_is_http_or_https",
    ),
    Defence(
        "the browser refuses file URLs by its own policy",
        f"{RENDERER}/page/interception.py",
        '        page.send("Fetch.enable"',
        '        page.send("Fetch.disable"); 0 and ("Fetch.enable"',
        "tests/security/test_confinement.py::test_a_navigation_to_a_file_is_refused",
    ),
    Defence(
        "the URL is checked before it is requested",
        f"{RENDERER}/page/capture.py",
        "            self._policy.check_page(self._url)\n",
        "",
        "tests/security/test_attacks.py::test_a_scheme_other_than_http_or_https_is_refused",
    ),
    Defence(
        "popups are not opened",
        f"{RENDERER}/chromium/flags.py",
        '    "--block-new-web-contents",\n',
        "",
        "tests/security/test_confinement.py::test_a_page_cannot_open_another",
    ),
    Defence(
        "popups are closed in browsers that open them",
        f"{RENDERER}/chromium/browser.py",
        '        self.connection.send("Target.closeTarget"',
        '        print("Target.closeTarget"',
        "tests/security/test_confinement.py::test_a_page_that_was_opened_all_the_same_is_closed",
    ),
    Defence(
        "permissions are denied",
        f"{RENDERER}/chromium/browser.py",
        '"Browser.grantPermissions", {"permissions": list(permissions), "browserContextId": context_id}',
        '"Browser.resetPermissions", {"browserContextId": context_id}',
        "tests/security/test_confinement.py::test_every_permission_is_denied",
    ),
    Defence(
        "dialogs are dismissed",
        f"{RENDERER}/page/capture.py",
        "        self._tab.dismiss_dialogs()\n",
        "",
        "tests/integration/test_render.py::test_dialogs_do_not_block_a_page",
    ),
    # The process.
    Defence(
        "the browser's environment is empty",
        f"{RENDERER}/chromium/start.py",
        "environment or {}",
        "environment or __import__('os').environ",
        "tests/integration/test_browser.py::test_the_browser_gets_an_empty_environment_and_its_own_profile",
    ),
    Defence(
        "processes of the worker's user cannot read its memory",
        f"{RENDERER}/process_setup.py",
        "prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)",
        "prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)",
        "tests/integration/test_browser.py::test_a_child_of_the_same_user_cannot_read_the_workers_environment",
    ),
    Defence(
        "the browser is controlled through a pipe",
        f"{RENDERER}/chromium/flags.py",
        '    "--remote-debugging-pipe=cbor",\n',
        '    "--remote-debugging-pipe=cbor",\n    "--remote-debugging-port=0",\n',
        "tests/security/test_confinement.py::test_the_browser_listens_on_no_port",
    ),
    Defence(
        "the browser's files are limited",
        f"{RENDERER}/chromium/process.py",
        "        resource.prlimit(pid, limit, (value, value))\n",
        "        pass\n",
        "tests/security/test_confinement.py::test_core_dumps_and_huge_files_are_disabled",
    ),
    Defence(
        "the browser's memory is limited",
        f"{RENDERER}/browsers/memory_watch.py",
        "            chromium.memory.kill_largest_renderer(usage)\n",
        "            pass\n",
        "tests/security/test_confinement.py::test_only_a_page_with_too_much_memory_ends",
    ),
    Defence(
        "the page that stores too much is ended",
        f"{RENDERER}/browsers/memory_watch.py",
        "        if kept <= largest:\n",
        "        if kept >= 0:\n",
        "tests/security/test_storage.py"
        "::test_the_page_that_stores_too_much_is_ended_and_the_page_beside_it_is_not[blobs]",
    ),
    Defence(
        "a page that was suspected wrongly is captured again",
        f"{RENDERER}/browsers/pool.py",
        "        except RepeatNeeded:\n            self._retire(chromium)\n            raise\n",
        "        except RepeatNeeded as error:\n            raise BrowserCrashed('suspected') from error\n",
        "tests/security/test_storage.py::test_a_page_that_is_ended_on_suspicion_is_captured_all_the_same",
    ),
    Defence(
        "memory that is filled at once is noticed at once",
        f"{RENDERER}/browsers/memory_watch.py",
        "                if has_shrunk or now",
        "                if now",
        "tests/unit/test_memory_watch.py::test_the_browsers_are_measured_as_soon_as_less_memory_is_left",
    ),
    Defence(
        "a browser that fills the machine is killed before the kernel kills anything",
        f"{RENDERER}/browsers/memory_watch.py",
        "        elif is_urgent:\n",
        "        elif not is_urgent and free is None:\n",
        "tests/security/test_full_machine.py::test_the_page_that_fills_the_machine_ends_alone",
    ),
    Defence(
        "captures of a browser that was killed for its memory are repeated",
        f"{RENDERER}/browsers/pool.py",
        "            if chromium.used_up_memory:\n",
        "            if chromium is None:\n",
        "tests/security/test_full_machine.py::test_the_page_that_fills_the_machine_ends_alone",
    ),
    Defence(
        "the browser is replaced after a number of captures",
        f"{RENDERER}/browsers/pool.py",
        "        if chromium.captures >= CAPTURES_PER_BROWSER:\n",
        "        if chromium.captures is None:\n",
        "tests/integration/test_browser.py::test_a_browser_is_replaced_after_a_number_of_captures",
    ),
    Defence(
        "the browser is killed with all its children",
        f"{RENDERER}/chromium/process.py",
        "                os.killpg(self.pid, signal.SIGKILL)\n",
        "                pass\n",
        "tests/security/test_confinement.py::test_a_hanging_browser_is_killed_with_all_its_children",
    ),
    Defence(
        "the browser's profile is deleted with it",
        f"{RENDERER}/chromium/browser.py",
        "        self._profile.remove()\n",
        "",
        "tests/integration/test_browser.py::test_the_browser_gets_an_empty_environment_and_its_own_profile",
    ),
    Defence(
        "captures share no browser context",
        f"{RENDERER}/chromium/tab.py",
        "        context_id = await chromium.new_context(proxy)\n",
        '        context_id = chromium.__dict__.get("kept") or await chromium.new_context(proxy)\n'
        '        chromium.__dict__["kept"] = context_id\n'
        "        chromium.close_context = lambda _: __import__('asyncio').sleep(0)\n"
        "        chromium._tabs[context_id] = None\n",
        "tests/security/test_isolation.py::test_a_capture_finds_nothing_of_the_previous_one",
    ),
    # Secrets.
    Defence(
        "headers are sent to one origin only",
        f"{RENDERER}/page/interception.py",
        'if not self._headers or origin_of(event["request"]["url"]) != self._origin:',
        "if not self._headers:",
        "tests/security/test_secrets.py::test_a_secret_goes_to_no_third_party_and_no_redirect_target",
    ),
    Defence(
        "the record contains no secrets",
        f"{SHARED}/request/capture_request.py",
        'return parsed.model_dump(mode="json", by_alias=True, exclude_defaults=True)',
        "return dict(self._canonical_options)",
        "tests/security/test_secrets.py::test_no_record_log_metric_or_object_contains_the_secret",
    ),
    Defence(
        "errors do not quote the values that they refuse",
        f"{SHARED}/request/options/wire.py",
        "        hide_input_in_errors=True,\n",
        "",
        "tests/security/test_secrets.py::test_an_invalid_value_is_refused_without_being_quoted",
    ),
    Defence(
        "the password is removed from a URL",
        f"{SHARED}/request/capture_request.py",
        "        return without_credentials(self.url)\n",
        "        return self.url\n",
        "tests/security/test_secrets.py::test_no_record_log_metric_or_object_contains_the_secret",
    ),
    Defence(
        "a HAR contains no secrets",
        f"{RENDERER}/page/har.py",
        "REDACTED if name.lower() in self._secret else value",
        "value",
        "tests/render/test_extras.py::test_the_har_contains_the_traffic_without_secrets",
    ),
    Defence(
        "a secret is sent only to the host it is granted for",
        f"{SHARED}/request/secret_grant.py",
        "return self.arn == arn and is_origin and",
        "return self.arn == arn and",
        "tests/security/test_secrets.py::test_a_secret_goes_only_to_the_host_it_is_granted_for",
    ),
)

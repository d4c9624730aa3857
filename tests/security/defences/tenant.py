"""What keeps tenants of the API apart, and what a key or a signed link cannot do."""

from __future__ import annotations

from .defence import RENDERER, SHARED, Defence

API = "lambda_src/api/stillframe_api"
KEYS, QUOTAS, LINKS = "tests/api/test_keys.py", "tests/api/test_quotas.py", "tests/api/test_signed_links.py"
TENANTS, OPTIONS = "tests/api/test_tenants.py", "tests/api/test_tenant_options.py"

TENANT = (
    Defence(
        "nobody reaches a route without a key",
        f"{API}/callers.py",
        "if self._keys is None:",
        "if True:",
        f"{KEYS}::test_without_a_key_no_path_is_reached",
    ),
    Defence(
        "only signed links pass without a key",
        f"{API}/signed_links.py",
        ".startswith(LINK_PREFIX)",
        '.startswith("/v1/")',
        f"{KEYS}::test_without_a_key_no_path_is_reached",
    ),
    Defence(
        "a revoked key ends",
        f"{SHARED}/tenants/key_store.py",
        " or REVOKED_AT in item",
        "",
        f"{KEYS}::test_a_key_lets_its_holder_in_until_it_is_revoked",
    ),
    Defence(
        "the secret of a key is compared",
        f"{SHARED}/tenants/key_store.py",
        " or not key.is_of(item[KEY_HASH])",
        "",
        f"{KEYS}::test_a_key_with_the_id_of_another_is_refused",
    ),
    Defence(
        "ids of a tenant begin with its name",
        f"{SHARED}/tenants/namespace.py",
        "full = given if given.startswith(prefix) else prefix + given",
        "full = given",
        f"{TENANTS}::test_ids_of_two_tenants_never_meet",
    ),
    Defence(
        "a record says whose it is",
        f"{SHARED}/tenants/namespace.py",
        "return record_tenant == self.tenant",
        "return True",
        f"{TENANTS}::test_what_somebody_else_has_put_under_a_tenants_id_is_not_the_tenants",
    ),
    Defence(
        "a tenant sends in its own name",
        f"{SHARED}/tenants/namespace.py",
        "if request.tenant not in (None, self.tenant):",
        "if False:",
        f"{TENANTS}::test_another_tenants_name_is_refused",
    ),
    Defence(
        "a list has the records of its tenant",
        f"{API}/routes.py",
        'tenant = app.context["caller"].tenant',
        "tenant = None",
        f"{TENANTS}::test_a_list_has_the_records_of_its_tenant_only",
    ),
    Defence(
        "a tenant names its own secrets",
        f"{SHARED}/tenants/namespace.py",
        "self.owns(grant.tenant) and ",
        "",
        f"{OPTIONS}::test_a_secret_that_is_not_the_tenants_is_refused_as_one_that_does_not_exist",
    ),
    Defence(
        "a secret is found by each of its names",
        f"{SHARED}/tenants/namespace.py",
        '("secretArn", "secret_arn")',
        '("secretArn",)',
        f"{OPTIONS}::test_a_secret_that_is_not_the_tenants_is_refused_as_one_that_does_not_exist",
    ),
    Defence(
        "the previous capture is the tenant's own",
        f"{SHARED}/table/last_capture.py",
        "owners = (tenant, series_of(request.id), request.payload_hash)",
        "owners = (series_of(request.id), request.payload_hash)",
        f"{OPTIONS}::test_a_capture_of_another_tenant_is_no_previous_one",
    ),
    Defence(
        "a capture of a tenant is compared with its own",
        f"{RENDERER}/message/comparison.py",
        "earlier.record.tenant != delivery.tenant",
        "False",
        f"{OPTIONS}::test_a_request_without_a_tenant_learns_nothing_of_a_tenants_capture",
    ),
    Defence(
        "a quota is a condition of its write",
        f"{SHARED}/table/side_items.py",
        "#{REQUESTS} <= :room)",
        "#{REQUESTS} <= :room OR :room = :room)",
        f"{QUOTAS}::test_of_a_hundred_parallel_requests_exactly_sixty_are_let_through",
    ),
    Defence(
        "the signature of a link is verified",
        f"{SHARED}/signed_link.py",
        "return any(found)",
        "return True",
        f"{LINKS}::test_a_wrong_signature_is_refused_and_nothing_is_done",
    ),
    Defence(
        "a link expires",
        f"{SHARED}/signed_link.py",
        "if now_ms >= link.expires * 1000:",
        "if False:",
        f"{LINKS}::test_an_expired_link_is_refused",
    ),
    Defence(
        "a link has no secrets",
        f"{SHARED}/signed_link.py",
        "        if given:\n",
        "        if False:\n",
        f"{LINKS}::test_options_that_need_secrets_are_refused",
    ),
    Defence(
        "a link that is opened again sends nothing",
        f"{API}/signed_links.py",
        "PATIENCE_MS = 60_000",
        "PATIENCE_MS = 0",
        f"{LINKS}::test_a_link_captures_its_page_once_and_leads_to_the_image",
    ),
)

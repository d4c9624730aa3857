"""Options that name something of the account: for a tenant, there is only what is its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from stillframe.table.record import Record
from tests.conftest import MakeCloud

from .conftest import Client
from .tenants import URL, Tenants, captured, two_tenants

ARN = "arn:aws:secretsmanager:us-east-1:111111111111:secret:{}-AbCdEf"
OWN, OTHERS, ANYBODYS, NOBODYS = (ARN.format(each) for each in ("own", "others", "anybodys", "nobodys"))
GRANTS = f"{OWN}@example.com;tenant=bravo,{OTHERS}@example.com;tenant=acme,{ANYBODYS}@example.com"


@pytest.fixture
def tenants(make_cloud: MakeCloud) -> Iterator[Tenants]:
    with two_tenants(make_cloud(STILLFRAME_SECRETS=GRANTS)) as both:
        yield both


def secret(arn: str) -> dict[str, Any]:
    return {"secretArn": arn}


PLACES: dict[str, Callable[[str], dict[str, Any]]] = {
    "headers": lambda arn: {"headers": {"X-Token": secret(arn)}},
    "cookies": lambda arn: {"cookies": [{"name": "a", "value": secret(arn)}]},
    "basicAuth": lambda arn: {"basicAuth": {"username": "u", "password": secret(arn)}},
    "basic_auth": lambda arn: {"basic_auth": {"username": "u", "password": {"secret_arn": arn}}},
}


@pytest.mark.parametrize("arn", [OTHERS, ANYBODYS, NOBODYS])
@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_a_secret_that_is_not_the_tenants_is_refused_as_one_that_does_not_exist(
    tenants: Tenants, place: Callable[[str], dict[str, Any]], arn: str
) -> None:
    reply = tenants.bravo.post({"url": URL, "requestId": "a", "options": place(arn)})
    assert reply.problem == (422, "SECRET_UNAVAILABLE", f"{arn} is not granted to bravo for this host")
    assert tenants.cloud.find_record("bravo:a") is None


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_a_secret_of_the_tenants_own_goes_to_its_host_only(
    tenants: Tenants, place: Callable[[str], dict[str, Any]]
) -> None:
    assert tenants.bravo.post({"url": URL, "requestId": "a", "options": place(OWN)}).status == 202
    elsewhere = {"url": "https://other.example/", "requestId": "b", "options": place(OWN)}
    assert tenants.bravo.post(elsewhere).problem[1] == "SECRET_UNAVAILABLE"


def compared(tenants: Tenants, client: Client, compare_to: str, name: str) -> Record:
    """What a worker makes of a request that is compared."""
    reply = client.post({"url": URL, "requestId": name, "options": {"compareTo": compare_to}})
    assert reply.status == 202, reply.body
    return captured(tenants, reply)


@pytest.mark.parametrize("option", ["compareTo", "compare_to"])
@pytest.mark.parametrize("name", ["acme:base", "base"])
def test_a_capture_of_another_tenant_is_nothing_to_compare_with(tenants: Tenants, option: str, name: str) -> None:
    # Given a capture of acme's
    captured(tenants, tenants.acme.post({"url": URL, "requestId": "base"}))
    # When bravo compares the same page with it, then there is no such capture
    reply = tenants.bravo.post({"url": URL, "requestId": "mine", "options": {option: name}})
    record = captured(tenants, reply)
    assert (record.compared_to, record.difference, record.changed) == (None, None, None)
    assert record.comparison_problem == f"there is no capture bravo:{name}"
    # And acme finds it
    assert compared(tenants, tenants.acme, name, "mine").compared_to == "acme:base"


def test_a_capture_of_another_tenant_is_no_previous_one(tenants: Tenants) -> None:
    # Given a request of acme's that is compared with its last capture
    assert compared(tenants, tenants.acme, "previous", "one").compared_to is None
    # When bravo sends the same one, then it is bravo's first
    record = compared(tenants, tenants.bravo, "previous", "one")
    assert (record.compared_to, record.comparison_problem) == (None, "there is no earlier capture of this request")
    # And each has its own from then on
    assert compared(tenants, tenants.acme, "previous", "two").compared_to == "acme:one"
    assert compared(tenants, tenants.bravo, "previous", "two").compared_to == "bravo:one"


def test_a_request_without_a_tenant_learns_nothing_of_a_tenants_capture(tenants: Tenants) -> None:
    # Given a capture of acme's, and a caller who sees the whole deployment but sends in nobody's name
    captured(tenants, tenants.acme.post({"url": URL, "requestId": "base"}))
    record = compared(tenants, tenants.operator, "acme:base", "nobodys")
    assert record.comparison_problem == "there is no capture acme:base"

"""The HTTP API in the templates: off by default, and never without authorisation, throttling and logs."""

from __future__ import annotations

import json
from typing import Any

import pytest

from stacks.api import TIMEOUT_SECONDS
from stacks.config import DeployConfig
from stacks.environment import ConfigError
from stacks.layer import LOCK
from stillframe.settings import Settings
from stillframe_api.api import RESERVE_SECONDS
from stillframe_api.waiting import MAX_WAIT_SECONDS
from tests.support.workers import ROOT

from .configurations import CERTIFICATE, ISSUER
from .conftest import Synth, of_type, only

JWT = {"api": "on", "apiAuthorisation": "jwt", "apiJwtIssuer": ISSUER, "apiJwtAudience": "a,b"}
# "Quotas for configuring and running an HTTP API": the maximum integration timeout.
GATEWAY_SECONDS = 30


def with_api(synth: Synth, **values: object) -> dict[str, Any]:
    given = {"api": "on", **values}
    return synth(*((f"stillframe:{name}", value) for name, value in given.items()))["Stillframe"]


def test_there_is_no_endpoint_unless_it_is_wanted(synth: Synth) -> None:
    template = synth()["Stillframe"]
    assert [each["Type"] for each in template["Resources"].values() if "ApiGateway" in each["Type"]] == []
    assert "ApiUrl" not in template["Outputs"]
    assert "ApiUrl" in with_api(synth)["Outputs"]


def test_the_logical_ids_of_the_api_are_locked(synth: Synth) -> None:
    # A new id would be a new address for every caller.
    template = with_api(synth)
    assert list(of_type(template, "AWS::ApiGatewayV2::Api")) == ["ApiHttp17514DA7"]
    assert list(of_type(template, "AWS::ApiGatewayV2::Stage")) == ["ApiStage4697DF29"]


def test_every_route_has_an_authorisation(synth: Synth) -> None:
    # Given the API with each kind of authorisation, then every route but that of signed links has it
    links = ("GET /v1/i/{link+}", "NONE"), ("HEAD /v1/i/{link+}", "NONE")
    assert routes(with_api(synth)) == {("$default", "AWS_IAM"), *links}
    tokens = with_api(synth, **JWT)
    assert routes(tokens) == {("$default", "JWT"), *links}
    authorizer = only(tokens, "AWS::ApiGatewayV2::Authorizer")
    assert authorizer["JwtConfiguration"] == {"Audience": ["a", "b"], "Issuer": ISSUER}


def routes(template: dict[str, Any]) -> set[tuple[str, str]]:
    found = of_type(template, "AWS::ApiGatewayV2::Route").values()
    return {(each["RouteKey"], each["AuthorizationType"]) for each in found}


def variables(template: dict[str, Any]) -> dict[str, Any]:
    functions = of_type(template, "AWS::Lambda::Function").values()
    (function,) = [each for each in functions if each.get("Handler") == "stillframe_api.handler.handler"]
    found: dict[str, Any] = function["Environment"]["Variables"]
    return found


def test_with_keys_the_function_checks_its_callers_and_only_then(synth: Synth) -> None:
    # Given the API with keys, then the gateway lets everybody through to a function that wants a key
    keys = with_api(synth, apiAuthorisation="key")
    assert routes(keys) == {("$default", "NONE"), ("GET /v1/i/{link+}", "NONE"), ("HEAD /v1/i/{link+}", "NONE")}
    assert variables(keys)["STILLFRAME_API_AUTHORISATION"] == "key"
    # And the stage throttles as ever
    assert only(keys, "AWS::ApiGatewayV2::Stage")["DefaultRouteSettings"]["ThrottlingRateLimit"] == 50
    # And with another authorisation, the gateway's route has it
    assert variables(with_api(synth))["STILLFRAME_API_AUTHORISATION"] == "gateway"
    # And a function that nobody has told anything wants a key
    assert Settings.model_fields["api_authorisation"].default == "key"


def test_the_key_of_links_is_a_secret_of_the_stack(synth: Synth) -> None:
    # Given the API, then its links are signed with a secret that is made in the account
    template = with_api(synth)
    ((name, secret),) = of_type(template, "AWS::SecretsManager::Secret").items()
    assert name == "ApiLinkKeyFC42AA78"
    assert secret["GenerateSecretString"]["PasswordLength"] >= 43
    assert template["Outputs"]["LinkSecretArn"]["Value"] == {"Ref": name}
    assert variables(template)["STILLFRAME_LINK_SECRET"] == {"Ref": name}


def test_the_stage_throttles_and_logs(synth: Synth) -> None:
    stage = only(with_api(synth, apiRate=7, apiBurst=9), "AWS::ApiGatewayV2::Stage")
    assert stage["DefaultRouteSettings"] == {"ThrottlingBurstLimit": 9, "ThrottlingRateLimit": 7}
    fields = json.loads(stage["AccessLogSettings"]["Format"])
    assert {"requestId", "status", "path", "caller"} <= fields.keys()


def test_who_waits_has_an_answer_before_the_gateway_gives_up(synth: Synth) -> None:
    functions = of_type(with_api(synth), "AWS::Lambda::Function").values()
    (function,) = [each for each in functions if each.get("Handler") == "stillframe_api.handler.handler"]
    assert MAX_WAIT_SECONDS + RESERVE_SECONDS < function["Timeout"] == TIMEOUT_SECONDS < GATEWAY_SECONDS
    assert function["Architectures"] == ["arm64"]
    assert len(function["Layers"]) == 1


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"api": "on", "apiAuthorisation": "jwt"}, "needs apiJwtIssuer and apiJwtAudience"),
        ({**JWT, "apiJwtAudience": ""}, "needs apiJwtIssuer and apiJwtAudience"),
        ({**JWT, "apiJwtIssuer": "http://issuer.example"}, "apiJwtIssuer"),
        ({**JWT, "apiAuthorisation": "iam"}, "need api on"),
        ({**JWT, "api": "off"}, "need api on"),
        ({"api": "on", "apiAuthorisation": "none"}, "apiAuthorisation"),
        ({"api": "on", "apiRate": 0}, "apiRate"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(values: dict[str, object], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        DeployConfig.of(values)


def test_the_layer_has_the_versions_that_are_tested() -> None:
    # Given the lock of the layer, then each package is there with its hashes, in the version of constraints.txt
    locked = [line.split()[0] for line in LOCK.read_text().splitlines() if "==" in line]
    pinned = {line.lower().replace("_", "-") for line in (ROOT / "constraints.txt").read_text().splitlines()}
    assert len(locked) > 10
    assert [line for line in locked if line.lower().replace("_", "-") not in pinned] == []
    assert LOCK.read_text().count("--hash=sha256:") >= len(locked)


def test_the_api_has_the_owners_name(synth: Synth) -> None:
    # Given a name and its certificate
    template = with_api(synth, apiDomain="api.example.com", apiCertificateArn=CERTIFICATE)
    # Then API Gateway serves the stage under it, and the owner learns where to point the name
    domain = only(template, "AWS::ApiGatewayV2::DomainName")
    (configuration,) = domain["DomainNameConfigurations"]
    assert domain["DomainName"] == "api.example.com"
    assert configuration["CertificateArn"] == CERTIFICATE
    assert configuration["SecurityPolicy"] == "TLS_1_2"
    assert only(template, "AWS::ApiGatewayV2::ApiMapping")["DomainName"]
    assert template["Outputs"]["ApiUrl"]["Value"] == "https://api.example.com"
    assert "RegionalDomainName" in json.dumps(template["Outputs"]["ApiDomainTarget"])


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"api": "on", "apiDomain": "api.example.com"}, "need each other"),
        ({"api": "on", "apiCertificateArn": CERTIFICATE}, "need each other"),
        ({"apiDomain": "api.example.com", "apiCertificateArn": CERTIFICATE}, "apiDomain needs api on"),
        ({"api": "on", "apiDomain": "*.example.com", "apiCertificateArn": CERTIFICATE}, "apiDomain"),
    ],
)
def test_a_name_that_cannot_be_served_is_refused(values: dict[str, object], problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        DeployConfig.of(values)

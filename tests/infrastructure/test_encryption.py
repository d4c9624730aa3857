"""A deployment under the owner's key."""

from __future__ import annotations

import json
from typing import Any

import pytest

from stacks.config import DeployConfig
from stacks.environment import ConfigError

from .conftest import Synth, of_type, only

KEY = "arn:aws:kms:eu-central-1:111111111111:key/01234567-89ab-cdef-0123-456789abcdef"


@pytest.fixture
def templates(synth: Synth) -> dict[str, Any]:
    place = (("stillframe:region", "eu-central-1"), ("stillframe:account", "111111111111"))
    return synth(("stillframe:compute", "both"), ("stillframe:kmsKeyArn", KEY), *place)


def test_everything_that_is_stored_is_under_the_owners_key(templates: dict[str, Any]) -> None:
    storage, render = templates["Stillframe-Storage"], templates["Stillframe"]
    # Given the queues, then both are under it
    queues = of_type(storage, "AWS::SQS::Queue").values()
    assert [each["KmsMasterKeyId"] for each in queues] == [KEY] * 2
    # And so is the table, with all its replicas
    table = only(storage, "AWS::DynamoDB::GlobalTable")
    assert table["SSESpecification"] == {"SSEEnabled": True, "SSEType": "KMS"}
    assert [each["SSESpecification"] for each in table["Replicas"]] == [{"KMSMasterKeyId": KEY}]
    # And the bucket, with one data key for many objects
    (rule,) = only(storage, "AWS::S3::Bucket")["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"] == {"KMSMasterKeyID": KEY, "SSEAlgorithm": "aws:kms"}
    assert rule["BucketKeyEnabled"] is True
    # And what the workers log
    assert {each["KmsKeyId"] for each in of_type(render, "AWS::Logs::LogGroup").values()} == {KEY}


def test_whoever_writes_may_encrypt_and_whoever_reads_may_decrypt(templates: dict[str, Any]) -> None:
    allowed: dict[str, set[str]] = {}
    for kind in ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"):
        for name, policy in of_type(templates["Stillframe"], kind).items():
            for statement in policy["PolicyDocument"]["Statement"]:
                if KEY in json.dumps(statement["Resource"]):
                    actions = statement["Action"]
                    allowed.setdefault(name, set()).update([actions] if isinstance(actions, str) else actions)
    both = {"kms:Decrypt", "kms:GenerateDataKey"}
    found = {name: actions for name, actions in allowed.items() if "Execution" not in name}
    assert {name: actions == both for name, actions in found.items() if "Look" not in name} == {
        name: True for name in found if "Look" not in name
    }
    assert len(found) == 5
    (look,) = [actions for name, actions in found.items() if "Look" in name]
    assert look == {"kms:Decrypt"}


@pytest.mark.parametrize("place", [{}, {"account": "111111111111", "region": "us-east-1"}])
def test_a_key_of_another_region_is_refused(place: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match="kmsKeyArn needs account and region"):
        DeployConfig.of({"kmsKeyArn": KEY, **place})


def test_without_a_key_the_services_keys_are_used(synth: Synth) -> None:
    storage = synth()["Stillframe-Storage"]
    assert "kms" not in json.dumps(synth()["Stillframe"])
    assert [each["SqsManagedSseEnabled"] for each in of_type(storage, "AWS::SQS::Queue").values()] == [True, True]

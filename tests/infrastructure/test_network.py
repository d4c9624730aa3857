"""Workers in the owner's network, from where they reach private addresses."""

from __future__ import annotations

from typing import Any

import pytest

from stacks.config import DeployConfig
from stacks.environment import ConfigError

from .conftest import Synth, of_type, only

SUBNETS = ["subnet-0aaa0aaa", "subnet-0bbb0bbb"]
OWN = (("stillframe:vpcId", "vpc-0123456789abcdef0"), ("stillframe:subnetIds", ",".join(SUBNETS)))
ENDPOINTS = (("stillframe:vpcEndpoints", "true"), ("stillframe:routeTableIds", "rtb-0aaa0aaa,rtb-0bbb0bbb"))
PRIVATE = ("stillframe:allowCidrs", "10.1.0.0/16")


@pytest.fixture
def both(synth: Synth) -> dict[str, Any]:
    """Function and fleet in the owner's subnets."""
    return synth(("stillframe:compute", "both"), PRIVATE, *OWN)["Stillframe"]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"allowCidrs": "10.1.0.0/16"}, "allowCidrs needs vpcId and subnetIds"),
        ({"vpcId": "vpc-0123456789abcdef0"}, "vpcId and subnetIds go together"),
        ({"subnetIds": "subnet-0aaa0aaa"}, "vpcId and subnetIds go together"),
        ({"vpcEndpoints": "true"}, "vpcEndpoints needs vpcId"),
        ({"vpcId": "vpc-0123456789abcdef0", "subnetIds": "subnet-0aaa0aaa", "vpcEndpoints": "true"}, "routeTableIds"),
        ({"vpcId": "my-vpc", "subnetIds": "subnet-0aaa0aaa"}, "stillframe:vpcId"),
        ({"vpcId": "vpc-0123", "subnetIds": "subnet-0aaa0aaa"}, "stillframe:vpcId"),
    ],
)
def test_a_network_that_could_not_work_is_refused(values: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        DeployConfig.from_context({f"stillframe:{name}": value for name, value in values.items()})


def test_function_and_tasks_are_in_the_owners_subnets(both: dict[str, Any]) -> None:
    function = only(both, "AWS::Lambda::Function")["VpcConfig"]
    service = only(both, "AWS::ECS::Service")["NetworkConfiguration"]["AwsvpcConfiguration"]
    # Then no task has a public address, and no other network is made
    assert function["SubnetIds"] == service["Subnets"] == SUBNETS
    assert service["AssignPublicIp"] == "DISABLED"
    assert of_type(both, "AWS::EC2::VPC") == {}
    # And nothing reaches them
    groups = of_type(both, "AWS::EC2::SecurityGroup")
    (outward,) = groups
    assert "SecurityGroupIngress" not in groups[outward]
    assert function["SecurityGroupIds"] == service["SecurityGroups"] == [{"Fn::GetAtt": [outward, "GroupId"]}]


def test_a_function_may_be_attached_to_its_network_and_only_then(both: dict[str, Any], synth: Synth) -> None:
    def has_right(template: dict[str, Any]) -> bool:
        return any(
            "ec2:CreateNetworkInterface" in statement["Action"]
            for policy in of_type(template, "AWS::IAM::Policy").values()
            for statement in policy["PolicyDocument"]["Statement"]
        )

    assert has_right(both)
    assert not has_right(synth()["Stillframe"])


@pytest.mark.parametrize(
    ("context", "interfaces"),
    [
        ((), {"sqs", "logs"}),
        ((("stillframe:compute", "fargate"),), {"sqs", "logs", "ecr.api", "ecr.dkr"}),
        (
            (("stillframe:secrets", "arn:aws:secretsmanager:eu-central-1:111111111111:secret:a-AbCdEf@example.com"),),
            {"sqs", "logs", "secretsmanager"},
        ),
    ],
)
def test_without_a_nat_gateway_workers_reach_aws_by_endpoints(
    synth: Synth, context: tuple[tuple[str, str], ...], interfaces: set[str]
) -> None:
    template = synth(*context, *OWN, *ENDPOINTS)["Stillframe"]
    endpoints = list(of_type(template, "AWS::EC2::VPCEndpoint").values())
    found = {service_of(each) for each in endpoints if each["VpcEndpointType"] == "Interface"}
    assert found == interfaces
    gateways = [each for each in endpoints if each["VpcEndpointType"] == "Gateway"]
    assert {service_of(each) for each in gateways} == {"s3", "dynamodb"}
    assert all(each["RouteTableIds"] == ["rtb-0aaa0aaa", "rtb-0bbb0bbb"] for each in gateways)
    # And only workers reach the endpoints, by HTTPS
    (rule,) = of_type(template, "AWS::EC2::SecurityGroupIngress").values()
    assert (rule["FromPort"], rule["ToPort"]) == (443, 443)


def test_the_endpoints_of_china_have_names_of_their_own(synth: Synth) -> None:
    # Given a deployment that is bound to a region of China
    place = (("stillframe:account", "111111111111"), ("stillframe:region", "cn-north-1"))
    template = synth(*place, *OWN, *ENDPOINTS)["Stillframe"]
    # Then its endpoints are those that the region has ("Endpoints and ARNs for Amazon Web Services in China")
    names = {each["ServiceName"] for each in of_type(template, "AWS::EC2::VPCEndpoint").values()}
    assert names == {f"com.amazonaws.cn-north-1.{each}" for each in ("logs", "s3", "dynamodb")} | {
        "cn.com.amazonaws.cn-north-1.sqs"
    }


def service_of(endpoint: dict[str, Any]) -> str:
    """The last part of `com.amazonaws.REGION.SERVICE`, whose region is a reference."""
    name = endpoint["ServiceName"]
    text = name if isinstance(name, str) else str(name["Fn::Join"][1][-1])
    return text.rpartition("amazonaws.")[2].lstrip(".")

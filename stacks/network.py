"""Where workers run: in a network of their own, or in subnets of the owner's network."""

from __future__ import annotations

from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from constructs import Construct

from .config import DeployConfig
from .nag import acknowledge

# "Giving Lambda functions access to resources in an Amazon VPC": what a function's role needs.
INTERFACE_ACTIONS = [
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
]


class OwnerNetwork(Construct):
    """Subnets that the owner has, and with `vpcEndpoints` a way from them to every service that a worker calls."""

    def __init__(self, scope: Construct, construct_id: str, *, config: DeployConfig) -> None:
        super().__init__(scope, construct_id)
        assert config.vpc_id is not None
        self.vpc = ec2.Vpc.from_vpc_attributes(
            self,
            "Vpc",
            vpc_id=config.vpc_id,
            # Nothing here depends on their names, but there must be one for each subnet.
            availability_zones=[f"zone-{number}" for number, _ in enumerate(config.subnet_ids)],
            private_subnet_ids=list(config.subnet_ids),
        )
        self.subnets = ec2.SubnetSelection(subnets=self.vpc.private_subnets)
        self.outward = ec2.SecurityGroup(
            self, "Outward", vpc=self.vpc, description="Stillframe workers: out, and nothing in"
        )
        if config.vpc_endpoints:
            self._add_endpoints(config)

    def _add_endpoints(self, config: DeployConfig) -> None:
        service = ec2.InterfaceVpcEndpointAwsService
        services = {"Queue": service.SQS, "Logs": service.CLOUDWATCH_LOGS}
        if config.has_fleet:
            services |= {"Registry": service.ECR, "Layers": service.ECR_DOCKER}
        if config.secrets:
            services["Secrets"] = service.SECRETS_MANAGER
        inward = ec2.SecurityGroup(self, "Inward", vpc=self.vpc, description="Stillframe: from its workers to AWS")
        inward.add_ingress_rule(self.outward, ec2.Port.tcp(443), "HTTPS of the workers")
        for name, each in services.items():
            ec2.InterfaceVpcEndpoint(
                self, name, vpc=self.vpc, service=each, subnets=self.subnets, security_groups=[inward], open=False
            )
        region = self.vpc.env.region
        for name, each_name in {"Images": "s3", "Records": "dynamodb"}.items():
            ec2.CfnVPCEndpoint(
                self,
                name,
                vpc_id=self.vpc.vpc_id,
                service_name=f"com.amazonaws.{region}.{each_name}",
                vpc_endpoint_type="Gateway",
                route_table_ids=list(config.route_table_ids),
            )


def owner_network(scope: Construct, config: DeployConfig) -> OwnerNetwork | None:
    """The owner's network, if the configuration names one."""
    return OwnerNetwork(scope, "OwnerNetwork", config=config) if config.vpc_id else None


def public_network(scope: Construct) -> ec2.Vpc:
    """Create a VPC with public subnets: pages are on the internet, and NAT gateways would cost more than tasks."""
    vpc = ec2.Vpc(
        scope,
        "Network",
        max_azs=2,
        nat_gateways=0,
        subnet_configuration=[ec2.SubnetConfiguration(name="public", subnet_type=ec2.SubnetType.PUBLIC)],
        restrict_default_security_group=False,
    )
    vpc.add_gateway_endpoint("Images", service=ec2.GatewayVpcEndpointAwsService.S3)
    vpc.add_gateway_endpoint("Records", service=ec2.GatewayVpcEndpointAwsService.DYNAMODB)
    acknowledge(
        vpc,
        "AwsSolutions-VPC7",
        "The egress guard logs refused connections; flow logs of all pages' traffic are the owner's decision.",
    )
    return vpc


def attach_interfaces() -> iam.PolicyStatement:
    """The permission of a function to be attached to a network. Lambda uses it, and these actions know no resource."""
    return iam.PolicyStatement(sid="AttachToNetwork", actions=INTERFACE_ACTIONS, resources=["*"])

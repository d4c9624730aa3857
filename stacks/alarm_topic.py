"""The topic that all alarms publish to."""

from __future__ import annotations

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from .nag import acknowledge


def alarm_topic(scope: Construct, email: str | None) -> sns.Topic:
    """Create the topic, and subscribe the address if there is one."""
    topic = sns.Topic(scope, "Topic", display_name="Stillframe alarms", enforce_ssl=True)
    # The policy that enforces TLS replaces SNS's default policy, by which the account's alarms could publish.
    topic.add_to_resource_policy(
        iam.PolicyStatement(
            sid="AllowAlarmsOfThisAccount",
            principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
            actions=["sns:Publish"],
            resources=[topic.topic_arn],
            conditions={"StringEquals": {"aws:SourceAccount": Stack.of(scope).account}},
        )
    )
    acknowledge(
        topic,
        "AwsSolutions-SNS2",
        "CloudWatch cannot publish to a topic with the AWS-managed key; alarms contain metrics, no user data.",
    )
    if email:
        topic.add_subscription(subscriptions.EmailSubscription(email))
    return topic

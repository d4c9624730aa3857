"""The resources that can be replaced at any time: the function, the fleet, and what monitors them."""

from __future__ import annotations

from typing import Any

from aws_cdk import CfnOutput, Fn, Stack
from constructs import Construct

from .access import Access
from .alarms import Alarms
from .api import Api
from .config import DeployConfig
from .dashboard import Dashboard
from .digests import Digests
from .fleet import Fleet
from .network import owner_network
from .notifier import Notifier
from .queries import SavedQueries
from .quotas import warn_of_quotas
from .recorded import record_of
from .renderer import Renderer
from .rollout import Canary
from .storage_stack import StorageStack
from .values import Rollout
from .watching import Watching
from .webhooks import Webhooks


class RenderStack(Stack):
    """All stateless resources."""

    def __init__(
        self, scope: Construct, construct_id: str, *, config: DeployConfig, storage: StorageStack, **kwargs: Any
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)
        self.template_options.metadata = record_of(config)
        network = owner_network(self, config)
        parts: dict[str, Any] = {"config": config, "storage": storage, "network": network}
        self.renderer = Renderer(self, "Renderer", **parts) if config.has_function else None
        self.fleet = Fleet(self, "Fleet", **parts) if config.has_fleet else None
        function = self.renderer.function if self.renderer else None
        self.webhooks = Webhooks(self, "Webhooks", config=config, storage=storage) if config.webhooks else None
        self.notifier = (
            Notifier(self, "Notifier", config=config, storage=storage, webhooks=self.webhooks)
            if config.events
            else None
        )
        watched: dict[str, Any] = {"function": function, "fleet": self.fleet, "notifier": self.notifier}
        watched["webhooks"] = self.webhooks
        watched["digests"] = self._digests(config, storage)
        self.alarms = Alarms(self, "Alarms", config=config, storage=storage, **watched)
        if config.rollout is Rollout.CANARY:
            Canary(self, "Canary", alarms=self.alarms, renderer=self.renderer, fleet=self.fleet)
        Dashboard(self, "Dashboard", config=config, storage=storage, **watched)
        groups = [worker.log_group for worker in (self.renderer, self.fleet) if worker]
        SavedQueries(self, "Queries", groups=groups)
        warn_of_quotas(self, config)
        watching = Watching(self, "Watching", config=config, storage=storage) if config.watches else None
        self.access = access = Access(
            self,
            "Access",
            config=config,
            storage=storage,
            renderer=self.renderer,
            fleet=self.fleet,
            topic=self.alarms.topic,
            webhooks=self.webhooks,
            watching=watching,
        )
        outputs = {
            "AlarmTopicArn": self.alarms.topic.topic_arn,
            "SendPolicyArn": access.send.managed_policy_arn,
            "LookPolicyArn": access.look.managed_policy_arn,
            "OperatePolicyArn": access.operate.managed_policy_arn,
        }
        # Besides names, the values that an operator can change: `stillframe scale --reset` goes back to these.
        if self.renderer is not None and function is not None:
            outputs["FunctionName"] = function.function_name
            outputs["EventSourceMapping"] = self.renderer.mapping.event_source_mapping_id
            outputs["ReservedConcurrency"] = str(config.reserved_concurrency)
            if not config.is_provisioned:
                outputs["MaxConcurrency"] = str(config.max_concurrency)
        if self.fleet is not None:
            outputs["ClusterName"] = self.fleet.cluster.cluster_name
            outputs["ServiceName"] = self.fleet.service.service_name
            outputs["MinTasks"] = str(config.min_tasks)
            outputs["MaxTasks"] = str(config.max_tasks)
        if self.notifier is not None:
            outputs["EventFailuresUrl"] = self.notifier.failures.queue_url
        if config.api:
            api = Api(self, "Api", config=config, storage=storage)
            outputs["ApiUrl"] = api.url
            if api.domain is not None:
                outputs["ApiDomainTarget"] = api.domain.regional_domain_name
            outputs["LinkSecretArn"] = api.link_secret.secret_arn
        for name, value in outputs.items():
            CfnOutput(self, name, value=value)

    def _digests(self, config: DeployConfig, storage: StorageStack) -> Digests | None:
        """Digests are events of watches, so there are some if there are both."""
        if self.notifier is None or not config.watches:
            return None
        return Digests(self, "Digests", config=config, storage=storage, notifier=self.notifier)

    @property
    def availability_zones(self) -> list[str]:
        """The first two of the region, which CloudFormation finds.

        With an account and a region, CDK would look them up during synthesis, and without its command line it writes
        zones that do not exist into the template ("dummy1a").
        """
        return [Fn.select(number, Fn.get_azs()) for number in (0, 1)]

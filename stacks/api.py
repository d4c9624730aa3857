"""The HTTP API: a small function behind API Gateway, which lets nobody in without a signature or a token."""

from __future__ import annotations

import jsii
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_apigatewayv2 as apigatewayv2
from aws_cdk import aws_apigatewayv2_authorizers as authorizers
from aws_cdk import aws_apigatewayv2_integrations as integrations
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from .api_settings import ApiAuthorisation
from .config import DeployConfig
from .nag import acknowledge
from .storage_stack import StorageStack
from .worker import acknowledge_images, worker_logs, write_logs
from .zip_function import zip_function

# Below the 30 seconds after which API Gateway gives up ("Quotas", HTTP API: maximum integration timeout).
TIMEOUT_SECONDS = 29
# CPU is given out by memory: the start of the function, which is all CPU, takes the longest.
MEMORY_MB = 1024
LINK_KEY_CHARS = 64
LINK_PREFIX = "/v1/i/"
# What may be the owner's own is not written: paths hold screenshot ids, and callers are named by AWS already.
ACCESS_LOG = apigateway.AccessLogFormat.custom(
    '{"requestId":"$context.requestId","time":"$context.requestTimeEpoch","method":"$context.httpMethod",'
    '"path":"$context.path","status":"$context.status","bytes":"$context.responseLength",'
    '"durationMs":"$context.responseLatency","caller":"$context.identity.userArn","ip":"$context.identity.sourceIp",'
    '"error":"$context.error.message"}'
)


@jsii.implements(apigatewayv2.IAccessLogSettings)
class _AccessLog:
    """One JSON line for each request."""

    def __init__(self, group: logs.ILogGroup) -> None:
        self._group = group

    @property
    def destination(self) -> apigatewayv2.IAccessLogDestination:
        return apigatewayv2.LogGroupLogDestination(self._group)

    @property
    def format(self) -> apigateway.AccessLogFormat:
        return ACCESS_LOG


class Api(Construct):
    """An endpoint, the function that it invokes, and their logs."""

    def __init__(self, scope: Construct, construct_id: str, *, config: DeployConfig, storage: StorageStack) -> None:
        super().__init__(scope, construct_id)
        self._config = config
        self._storage = storage
        self.log_group = worker_logs(self, config)
        self.role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            description="The permissions of the Stillframe API",
        )
        self.link_secret = self._link_secret()
        for statement in self._statements():
            self.role.add_to_policy(statement)
        acknowledge_images(self.role, self, config, storage)
        self.function = self._function()
        self._gateway = self._http_api()
        self._links_route()
        self.domain = self._domain()
        self._stage()

    @property
    def url(self) -> str:
        """The address of the API, without a slash at its end."""
        return f"https://{self._config.api_domain}" if self.domain else self._gateway.api_endpoint

    def _domain(self) -> apigatewayv2.DomainName | None:
        """The owner's name for the API. The owner points it to the target, in whatever DNS there is."""
        config = self._config
        if not config.api_domain or not config.api_certificate_arn:
            return None
        certificate = acm.Certificate.from_certificate_arn(self, "Certificate", config.api_certificate_arn)
        return apigatewayv2.DomainName(
            self,
            "Domain",
            domain_name=config.api_domain,
            certificate=certificate,
            security_policy=apigatewayv2.SecurityPolicy.TLS_1_2,
        )

    def _statements(self) -> list[iam.PolicyStatement]:
        """Exactly what the routes do: record and send requests, read records, and make links to objects."""
        config, storage = self._config, self._storage
        return [
            iam.PolicyStatement(sid="SendRequests", actions=["sqs:SendMessage"], resources=[storage.queue.queue_arn]),
            iam.PolicyStatement(
                sid="ReadRecordsAndKeys",
                actions=["dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Scan"],
                resources=[storage.table.table_arn],
            ),
            storage.update_items("RecordRequestsAndCount"),
            iam.PolicyStatement(
                sid="QueryUnfinishedRecordsAndTenants",
                actions=["dynamodb:Query"],
                resources=storage.index_arns,
            ),
            iam.PolicyStatement(
                sid="VerifyLinks",
                actions=["secretsmanager:GetSecretValue"],
                resources=[self.link_secret.secret_arn],
            ),
            iam.PolicyStatement(
                # A presigned link may do what its signer may do.
                sid="LinkToImages",
                actions=["s3:GetObject"],
                resources=[storage.bucket.arn_for_objects(f"{config.key_prefix}/*")],
            ),
            *storage.use_key(writes=True),
            write_logs(self.log_group),
        ]

    def _link_secret(self) -> secretsmanager.Secret:
        """The key that signs links. To rotate it, put another value: the one before is accepted until the next."""
        secret = secretsmanager.Secret(
            self,
            "LinkKey",
            description="Signs links to the Stillframe API",
            encryption_key=self._storage.key,
            generate_secret_string=secretsmanager.SecretStringGenerator(
                password_length=LINK_KEY_CHARS, exclude_punctuation=True
            ),
        )
        acknowledge(
            secret, "AwsSolutions-SMG4", "Links are published for as long as their owner says, who rotates their key."
        )
        return secret

    def _function(self) -> lambda_.Function:
        return zip_function(
            self,
            "api",
            description="Stillframe: the HTTP API",
            memory_mb=MEMORY_MB,
            timeout_seconds=TIMEOUT_SECONDS,
            config=self._config,
            storage=self._storage,
            role=self.role,
            log_group=self.log_group,
            environment={
                "STILLFRAME_API_AUTHORISATION": "key" if has_keys(self._config) else "gateway",
                "STILLFRAME_LINK_SECRET": self.link_secret.secret_arn,
            },
        )

    def _http_api(self) -> apigatewayv2.HttpApi:
        gateway = apigatewayv2.HttpApi(
            self,
            "Http",
            api_name=self._config.service,
            description="Screenshots of web pages, each one once",
            create_default_stage=False,
            default_authorizer=self._authorizer(),
            default_integration=integrations.HttpLambdaIntegration("Invoke", self.function),
        )
        if has_keys(self._config):
            acknowledge(gateway, "AwsSolutions-APIG4", "The function verifies the caller's key before anything else.")
        return gateway

    def _links_route(self) -> None:
        """Signed links are opened by browsers, which can neither sign requests nor send tokens."""
        routes = self._gateway.add_routes(
            path=f"{LINK_PREFIX}{{link+}}",
            methods=[apigatewayv2.HttpMethod.GET, apigatewayv2.HttpMethod.HEAD],
            authorizer=apigatewayv2.HttpNoneAuthorizer(),
            integration=integrations.HttpLambdaIntegration("Open", self.function),
        )
        for route in routes:
            acknowledge(route, "AwsSolutions-APIG4", "The function verifies the signature of the link.")

    def _authorizer(self) -> apigatewayv2.IHttpRouteAuthorizer:
        config = self._config
        if has_keys(config):
            return apigatewayv2.HttpNoneAuthorizer()
        if config.api_authorisation is ApiAuthorisation.IAM:
            return authorizers.HttpIamAuthorizer()
        return authorizers.HttpJwtAuthorizer(
            "Token", config.api_jwt_issuer or "", jwt_audience=list(config.api_jwt_audience)
        )

    def _stage(self) -> None:
        config = self._config
        apigatewayv2.HttpStage(
            self,
            "Stage",
            http_api=self._gateway,
            stage_name="$default",
            auto_deploy=True,
            domain_mapping=apigatewayv2.DomainMappingOptions(domain_name=self.domain) if self.domain else None,
            throttle=apigatewayv2.ThrottleSettings(rate_limit=config.api_rate, burst_limit=config.api_burst),
            access_log_settings=_AccessLog(worker_logs(Construct(self, "Requests"), config)),
        )


def has_keys(config: DeployConfig) -> bool:
    """Whether the function itself checks its callers."""
    return config.api_authorisation is ApiAuthorisation.KEY

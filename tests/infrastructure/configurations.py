"""The configurations that the templates are tested with: what matters most in full, and pairs of all the rest."""

from __future__ import annotations

import itertools
from collections.abc import Mapping

from stacks.config import DeployConfig
from stacks.environment import ConfigError
from stacks.presets import PRESETS
from stacks.values import Compute, Rollout
from tests.support.pairwise import Choice, pairwise

Values = dict[str, object]

ACCOUNT, REGION = "111111111111", "us-east-1"
PLACE = {"account": ACCOUNT, "region": REGION}
NETWORK = {"vpcId": "vpc-0123456789abcdef0", "subnetIds": "subnet-0123456789abcdef0,subnet-0123456789abcdef1"}
ENDPOINTS = {"vpcEndpoints": "true", "routeTableIds": "rtb-0123456789abcdef0"}
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/01234567-89ab-cdef-0123-456789abcdef"
SECRET = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:site-AbCdEf@example.com"
IMAGE = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/tools/stillframe@sha256:{'a' * 64}"
CERTIFICATE = f"arn:aws:acm:{REGION}:{ACCOUNT}:certificate/01234567-89ab-cdef-0123-456789abcdef"
ISSUER = "https://issuer.example/tenant"
HOOK = "https://hooks.example/stillframe?token=t"
BOUNDARY = f"arn:aws:iam::{ACCOUNT}:policy/boundary"

# Each factor's values, by a name for the test, with the settings that they stand for.
FACTORS: dict[str, dict[str, Mapping[str, object]]] = {
    "size": {each: {"size": each} for each in PRESETS},
    "compute": {str(each): {"compute": str(each)} for each in Compute},
    "rollout": {str(each): {"rollout": str(each)} for each in Rollout},
    "place": {"anywhere": {}, "bound": PLACE},
    "network": {"public": {}, "vpc": {**NETWORK, "allowCidrs": "10.1.0.0/16"}, "endpoints": {**NETWORK, **ENDPOINTS}},
    "key": {"of services": {}, "kms": {"kmsKeyArn": KEY}},
    "image": {"built": {}, "x86": {"architecture": "x86"}, "ecr": {"image": IMAGE}},
    "scaling": {
        "mapping": {},
        "reserved": {"reservedConcurrency": 200, "tracing": "true"},
        "pollers": {"minPollers": 2, "maxPollers": 20},
        "spot": {"spot": "true", "taskCpu": 2048, "taskMemoryMb": 4096},
    },
    "access": {"own": {}, "shared": {"producerAccounts": "222222222222", "permissionsBoundary": BOUNDARY}},
    "api": {
        "off": {},
        "iam": {"api": "on", "apiRate": 10},
        "keys": {"api": "on", "apiAuthorisation": "key"},
        "domain": {"api": "on", "apiDomain": "api.example.com", "apiCertificateArn": CERTIFICATE},
        "jwt": {"api": "on", "apiAuthorisation": "jwt", "apiJwtIssuer": ISSUER, "apiJwtAudience": "stillframe"},
    },
    "events": {
        "off": {},
        "default": {"events": "on"},
        "own bus": {"events": "on", "eventBus": "shop"},
        "webhooks": {"events": "on", "webhooks": "on"},
        "webhook": {"events": "on", "webhooks": "on", "webhookUrl": HOOK, "webhookEvents": "failed"},
    },
    "watches": {"off": {}, "on": {"watches": "on"}},
    "pages": {"public": {}, "known": {"secrets": SECRET, "perHost": 4, "deny": "evil.example"}},
    "times": {"default": {}, "long": {"functionTimeoutSeconds": 300, "jobDeadlineSeconds": 290, "tags": "team=web"}},
}
# 18: few enough for all of them.
WHOLE: dict[str, Values] = {
    f"{size}-{compute}-{rollout}": {"size": size, "compute": compute, "rollout": rollout}
    for size, compute, rollout in itertools.product(PRESETS, map(str, Compute), map(str, Rollout))
}


def settings(choice: Choice) -> Values:
    """The settings that a choice stands for."""
    return {name: value for factor, each in choice.items() for name, value in FACTORS[factor][each].items()}


def is_valid(choice: Choice) -> bool:
    """Whether a deployment accepts a choice."""
    try:
        DeployConfig.of(settings(choice))
    except ConfigError:
        return False
    return True


# All of them together would be 82,944. IMPOSSIBLE are the pairs that a deployment refuses.
PAIRED, IMPOSSIBLE = pairwise({name: [*values] for name, values in FACTORS.items()}, is_valid, seed=22)
CONFIGURATIONS: dict[str, Values] = {
    **WHOLE,
    **{f"pairs-{number}": settings(each) for number, each in enumerate(PAIRED, 1)},
}


def context(values: Mapping[str, object]) -> tuple[tuple[str, object], ...]:
    """The settings as context values of the app."""
    return tuple((f"stillframe:{name}", value) for name, value in values.items())

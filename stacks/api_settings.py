"""The settings of the HTTP API."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Self

from pydantic import BaseModel, Field, model_validator

from .values import TextList


class ApiAuthorisation(StrEnum):
    """Who may call the API."""

    # Principals of IAM with execute-api:Invoke, whose requests are signed (AWS4).
    IAM = "iam"
    # Whoever has a token of an OpenID Connect provider.
    JWT = "jwt"
    # Tenants with keys of Stillframe's own, which the function checks.
    KEY = "key"


# "Domain name requirements" of API Gateway: labels of letters, digits and hyphens; no wildcard here.
DOMAIN = r"^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$"
CERTIFICATE = r"^arn:[\w-]+:acm:[a-z0-9-]+:\d{12}:certificate/[0-9a-f-]{36}$"


class ApiSettings(BaseModel):
    """A part of the configuration of a deployment."""

    # A queue needs no endpoint, so there is none unless it is wanted.
    api: bool = False
    api_authorisation: ApiAuthorisation = ApiAuthorisation.IAM
    api_jwt_issuer: Annotated[str, Field(pattern=r"^https://[^\s?#]+$")] | None = None
    api_jwt_audience: TextList = ()
    # A name of the owner's for the API, with a certificate of it in the API's region (AWS Certificate Manager).
    api_domain: Annotated[str, Field(pattern=DOMAIN)] | None = None
    api_certificate_arn: Annotated[str, Field(pattern=CERTIFICATE)] | None = None
    # Requests a second, and how many may come at once, over all callers. Beyond that, API Gateway answers 429.
    api_rate: Annotated[int, Field(ge=1, le=10_000)] = 50
    api_burst: Annotated[int, Field(ge=1, le=5000)] = 100

    @model_validator(mode="after")
    def check_authorisation(self) -> Self:
        """Refuse a token's issuer that nobody asks for, and tokens without one."""
        is_jwt = self.api and self.api_authorisation is ApiAuthorisation.JWT
        if is_jwt and not (self.api_jwt_issuer and self.api_jwt_audience):
            raise ValueError("apiAuthorisation jwt needs apiJwtIssuer and apiJwtAudience")
        if not is_jwt and (self.api_jwt_issuer or self.api_jwt_audience):
            raise ValueError("apiJwtIssuer and apiJwtAudience need api on, and apiAuthorisation jwt")
        return self

    @model_validator(mode="after")
    def check_domain(self) -> Self:
        """Refuse a name without a certificate, a certificate without a name, and either without an API."""
        if bool(self.api_domain) != bool(self.api_certificate_arn):
            raise ValueError("apiDomain and apiCertificateArn need each other")
        if self.api_domain and not self.api:
            raise ValueError("apiDomain needs api on")
        return self

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


class ApiSettings(BaseModel):
    """A part of the configuration of a deployment."""

    # A queue needs no endpoint, so there is none unless it is wanted.
    api: bool = False
    api_authorisation: ApiAuthorisation = ApiAuthorisation.IAM
    api_jwt_issuer: Annotated[str, Field(pattern=r"^https://[^\s?#]+$")] | None = None
    api_jwt_audience: TextList = ()
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

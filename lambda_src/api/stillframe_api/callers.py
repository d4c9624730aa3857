"""Who calls: a tenant by its key, or somebody whom API Gateway has let in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

from stillframe.archive import Archive
from stillframe.errors import InvalidRequest
from stillframe.refused import UnknownScreenshot
from stillframe.request.secret_grant import SecretGrant
from stillframe.settings import Settings
from stillframe.table.record import Record
from stillframe.tenants.key_store import KeyStore, StoredKey
from stillframe.tenants.namespace import Namespace

from .problems import HttpError

# RFC 6750, 2.1.
BEARER = re.compile(r"Bearer +([!-~]{1,256})\Z", re.IGNORECASE)
CHALLENGE = 'Bearer realm="stillframe"'
# RFC 6750, 3.1: nothing more is said to a request without any authentication.
INVALID = f'{CHALLENGE}, error="invalid_token"'


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls. Without a key, the caller sees the whole deployment; with one, what is its tenant's."""

    key: StoredKey | None = None
    namespace: Namespace | None = None

    @property
    def tenant(self) -> str | None:
        return self.namespace.tenant if self.namespace is not None else None

    def find(self, archive: Archive, screenshot_id: str) -> Record:
        """The caller's record with this id. Raises UnknownScreenshot, also if it is somebody else's."""
        if self.namespace is None:
            return archive.require(screenshot_id)
        try:
            record = archive.record(self.namespace.id(screenshot_id))
        except InvalidRequest as error:
            raise UnknownScreenshot.of(screenshot_id) from error
        if record is None or not self.namespace.owns(record.tenant):
            raise UnknownScreenshot.of(screenshot_id)
        return record


# Let in by nobody: a signed link carries its own permission.
NOBODY = Caller()


class Callers:
    """Tells callers apart, by their keys if there are any."""

    def __init__(self, keys: KeyStore | None, settings: Settings) -> None:
        self._keys = keys
        self._grants = tuple(map(SecretGrant.parse, settings.secrets))

    @property
    def has_keys(self) -> bool:
        """Whether every caller needs a key."""
        return self._keys is not None

    def identify(self, headers: Mapping[str, str]) -> Caller:
        """The caller of a request with these headers. Raises HttpError (401) without a valid key."""
        if self._keys is None:
            return Caller()
        given = next((value for name, value in headers.items() if name.lower() == "authorization"), None)
        if given is None:
            raise _unauthorised("send an API key: `Authorization: Bearer stillframe_...`", CHALLENGE)
        found = BEARER.match(given)
        key = self._keys.find(found[1]) if found is not None else None
        if key is None:
            raise _unauthorised("the API key is malformed, unknown or revoked", INVALID)
        return Caller(key, Namespace(key.tenant, self._grants))


def _unauthorised(detail: str, challenge: str) -> HttpError:
    return HttpError(HTTPStatus.UNAUTHORIZED, "UNAUTHORISED", detail, {"WWW-Authenticate": challenge})

"""Whose image an object is: the metadata that says so, and the check before an object is adopted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from stillframe.errors import IdConflict, ObjectConflict

# Names of an image's metadata. S3 returns them in lower case.
PAYLOAD_HASH = "payload-hash"
CLAIM_TOKEN = "claim-token"  # noqa: S105  # the name of a metadata entry
SHA256 = "sha256"


@dataclass(frozen=True, slots=True)
class Owner:
    """The request whose image is stored or looked for, and the claim under which that happens.

    `payload_hash` identifies the request: an object outlives its record, and the id may name another page by then.
    `replaced_token` is the token of an earlier claim of the same request, None if there was none or it is not known.
    """

    screenshot_id: str
    payload_hash: str
    claim_token: str
    replaced_token: str | None = None

    def check(self, key: str, metadata: Mapping[str, str]) -> None:
        """Check that the object with this metadata is an image of this request.

        Raises IdConflict if it is the image of another one, ObjectConflict if nothing says whose image it is. Objects
        stored by versions up to 0.1.0 have no payload hash. They may be of any request that ever had this id, unless
        they bear the token of an earlier claim: the table lets only the same request replace a claim.
        """
        if PAYLOAD_HASH in metadata:
            if metadata[PAYLOAD_HASH] != self.payload_hash:
                raise IdConflict(
                    f"{key} is the image of an earlier request with the id {self.screenshot_id}, but with another URL "
                    "or other options; use a new requestId"
                )
        elif metadata.get(CLAIM_TOKEN, "") not in (self.claim_token, self.replaced_token):
            raise ObjectConflict(
                f"{key} does not say which request it belongs to, because an earlier version stored it; use a new "
                "requestId, or move it away and retry"
            )

"""The text of an API key: `stillframe_`, a public id, a secret and a checksum, as secret scanners recognise it."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import string
import zlib
from dataclasses import dataclass
from typing import Self

PREFIX = "stillframe_"
ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
ID_CHARS = 10
# 190 bits: nobody guesses it, so a fast hash is enough for storing it.
SECRET_CHARS = 32
# A CRC-32 in base 62, as in the tokens of GitHub ("Behind GitHub's new authentication token formats").
CHECKSUM_CHARS = 6
PATTERN = re.compile(
    rf"{PREFIX}([0-9A-Za-z]{{{ID_CHARS}}})[0-9A-Za-z]{{{SECRET_CHARS}}}([0-9A-Za-z]{{{CHECKSUM_CHARS}}})\Z"
)


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as its holder has it. `id` is public and names the key; the rest of the text is secret."""

    text: str
    id: str

    def __repr__(self) -> str:
        return f"ApiKey(id={self.id!r})"

    @classmethod
    def new(cls) -> Self:
        """A key with a secret from the operating system."""
        key_id, secret = _random(ID_CHARS), _random(SECRET_CHARS)
        body = f"{PREFIX}{key_id}{secret}"
        return cls(body + checksum_of(body), key_id)

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """The key, or None if the text is not one: a mistyped or invented key is recognised without a look-up."""
        found = PATTERN.match(text)
        if found is None or not hmac.compare_digest(checksum_of(text[:-CHECKSUM_CHARS]), found[2]):
            return None
        return cls(text, found[1])

    @property
    def sha256(self) -> str:
        """The hash of the whole text in hex, which is all that is stored of it."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    def is_of(self, stored_sha256: str) -> bool:
        """Whether this key has the stored hash, compared in constant time."""
        return hmac.compare_digest(self.sha256, stored_sha256)


def _random(length: int) -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(length))


def checksum_of(body: str) -> str:
    """The checksum of everything before it."""
    value = zlib.crc32(body.encode())
    digits = ""
    for _ in range(CHECKSUM_CHARS):
        value, digit = divmod(value, len(ALPHABET))
        digits = ALPHABET[digit] + digits
    return digits

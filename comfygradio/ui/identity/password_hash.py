"""Passwords in a users file: scrypt hashes, with their parameters in the line."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, field

PREFIX = "$scrypt$"
"""A password in a users file that begins like this is a hash; any other is plain text."""

PATTERN = re.compile(
    r"\$scrypt\$ln=([0-9]{1,2}),r=([0-9]{1,2}),p=([0-9]{1,2})"
    r"\$([A-Za-z0-9+/]{16,88})\$([A-Za-z0-9+/]{22,88})"
)

SALT_BYTES = 16
HASH_BYTES = 32

MEMORY_BYTES = 2**26
"""Most memory that a hash may need; every login attempt needs that much."""

MAX_NAME_LENGTH = 200
MAX_PASSWORD_LENGTH = 1_000
"""Most characters of a name and of a password; longer ones are refused unchecked."""

MAX_PARALLELISM = 16
"""The largest `p` that is accepted."""


@dataclass(frozen=True)
class ScryptCost:
    """The cost of one hash: 2**`ln` blocks of 128 × `r` bytes, worked through `p` times."""

    ln: int = 14
    r: int = 8
    p: int = 5

    @property
    def memory_bytes(self) -> int:
        """The memory that computing a hash needs."""
        block_bytes = 128 * self.r
        return block_bytes << self.ln

    def hash(self, password: str, salt: bytes) -> bytes:
        """Hash a password; slow on purpose."""
        return hashlib.scrypt(
            password.encode("utf-8", "replace"),
            salt=salt,
            n=2**self.ln,
            r=self.r,
            p=self.p,
            maxmem=2 * MEMORY_BYTES,
            dklen=HASH_BYTES,
        )


DEFAULT_COST = ScryptCost()
"""The cost of new hashes: about 0.2 s and 16 MB."""


@dataclass(frozen=True)
class PasswordHash:
    """A hashed password; its `str` is the form for a users file."""

    cost: ScryptCost
    salt: bytes = field(repr=False)
    digest: bytes = field(repr=False)

    def __str__(self) -> str:
        cost = self.cost
        parameters = f"ln={cost.ln},r={cost.r},p={cost.p}"
        salt = _encode(self.salt)
        digest = _encode(self.digest)
        return f"{PREFIX}{parameters}${salt}${digest}"

    def matches(self, password: str) -> bool:
        """Compare a password with the hash, in constant time."""
        digest = self.cost.hash(password, self.salt)
        return hmac.compare_digest(digest, self.digest)


def hash_password(password: str, cost: ScryptCost = DEFAULT_COST) -> PasswordHash:
    """Hash a password with a new salt."""
    salt = secrets.token_bytes(SALT_BYTES)
    digest = cost.hash(password, salt)
    return PasswordHash(cost, salt, digest)


def parse_hash(text: str) -> PasswordHash:
    """Parse a hash out of a users file.

    Raises ValueError for one that is damaged, or too expensive for a server.
    """
    match = PATTERN.fullmatch(text.strip())
    if match is None:
        raise ValueError("this is not a hash")
    cost = ScryptCost(
        ln=int(match[1]),
        r=int(match[2]),
        p=int(match[3]),
    )
    is_allowed = 1 <= cost.ln <= 20 and cost.r >= 1 and 1 <= cost.p <= MAX_PARALLELISM
    if not is_allowed:
        raise ValueError("these parameters are not taken")
    if cost.memory_bytes > MEMORY_BYTES:
        raise ValueError("this hash needs too much memory")
    salt = _decode(match[4])
    digest = _decode(match[5])
    if len(digest) != HASH_BYTES:
        raise ValueError("this hash has another length")
    return PasswordHash(cost, salt, digest)


def _encode(data: bytes) -> str:
    text = base64.b64encode(data).decode("ascii")
    return text.rstrip("=")


def _decode(text: str) -> bytes:
    padding = "=" * (-len(text) % 4)
    try:
        return base64.b64decode(text + padding, validate=True)
    except binascii.Error as error:
        raise ValueError("this is not base64") from error

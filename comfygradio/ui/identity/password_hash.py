"""Passwords as a users file keeps them: as scrypt hashes, with their parameters in the line."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, field

PREFIX = "$scrypt$"
"""What begins like this in a users file is a hash; everything else is a password as it is."""

PATTERN = re.compile(
    r"\$scrypt\$ln=([0-9]{1,2}),r=([0-9]{1,2}),p=([0-9]{1,2})"
    r"\$([A-Za-z0-9+/]{16,88})\$([A-Za-z0-9+/]{22,88})"
)

SALT_BYTES = 16
HASH_BYTES = 32

MEMORY_BYTES = 2**26
"""Most memory a hash may need, since every login attempt costs that much."""

MAX_NAME_LENGTH = 200
MAX_PASSWORD_LENGTH = 1_000
"""Characters; what is longer is nobody's, and is not looked at."""

MAX_PARALLELISM = 16
"""The largest `p` that is taken."""


@dataclass(frozen=True)
class ScryptCost:
    """What one hash costs: 2 to the power of `ln` blocks of 128 × `r` bytes, worked through `p`
    times.
    """

    ln: int = 14
    r: int = 8
    p: int = 5

    @property
    def memory_bytes(self) -> int:
        """What a hash needs while it is worked out."""
        return (128 * self.r) << self.ln

    def hash(self, password: str, salt: bytes) -> bytes:
        """The hash of a password; slow on purpose."""
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
"""What new hashes cost: about 0.2 s and 16 MB."""


@dataclass(frozen=True)
class PasswordHash:
    """A password that was hashed. `str` writes it as it stands in a users file."""

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
        """Whether this is the password; takes as long whether it is or not."""
        digest = self.cost.hash(password, self.salt)
        return hmac.compare_digest(digest, self.digest)


def hash_password(password: str, cost: ScryptCost = DEFAULT_COST) -> PasswordHash:
    """A password hashed with a new salt."""
    salt = secrets.token_bytes(SALT_BYTES)
    return PasswordHash(cost, salt, cost.hash(password, salt))


def parse_hash(text: str) -> PasswordHash:
    """A hash as it stands in a users file.

    Raises ValueError for one that is damaged, or costs more than is good for a server.
    """
    match = PATTERN.fullmatch(text.strip())
    if match is None:
        raise ValueError("this is no hash")
    cost = ScryptCost(ln=int(match[1]), r=int(match[2]), p=int(match[3]))
    is_taken = 1 <= cost.ln <= 20 and cost.r >= 1 and 1 <= cost.p <= MAX_PARALLELISM
    if not is_taken:
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
        raise ValueError("this is no base64") from error

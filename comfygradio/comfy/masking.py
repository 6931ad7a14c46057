"""Masking: texts without the logins, tokens and keys that may stand in them."""

from __future__ import annotations

import re

MASK = "***"
"""Stands where a secret was."""

SECRET_NAME = re.compile(r"auth|token|key|pass|pwd|secret|sig|cred|session|login", re.IGNORECASE)
"""What the name of a value has in it that nobody shall see."""

LOGIN = re.compile(r"(\w://)[^/\s@]+@")
"""The beginning of an address with a user and a password."""

SCHEME = re.compile(r"\b((?i:Bearer|Basic))\s+(?=\S*[A-Z0-9=])[^\s,;'\"]{8,}")
"""What headers have before a token or a login; "basic lighting" is none."""

ASSIGNED = re.compile(r"([\w-]{1,64}=)(?!\*\*\*)[^\s&\"',;]+")
"""`token=…`, as in queries and settings; which names are secret, `SECRET_NAME` says."""

NAMED = re.compile(
    r"((?:api[_-]?key|token|password|passwd|secret|authorization)[\"']?\s*:\s*[\"']?)"
    r"(?!(?:Bearer|Basic)\s|\*\*\*)[^\s&\"',;]+",
    re.IGNORECASE,
)
"""`api_key: …`, as in headers and JSON; not `KeyError: …`."""


def mask_text(text: str) -> str:
    """A text that somebody else wrote, without what looks like a secret by its place or name."""
    text = LOGIN.sub(rf"\1{MASK}@", text)
    text = SCHEME.sub(rf"\1 {MASK}", text)
    text = ASSIGNED.sub(_mask_assigned, text)
    return NAMED.sub(rf"\1{MASK}", text)


def _mask_assigned(found: re.Match[str]) -> str:
    name = found[1]
    if not SECRET_NAME.search(name):
        return found[0]
    return f"{name}{MASK}"

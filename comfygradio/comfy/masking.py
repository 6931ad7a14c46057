"""Mask the logins, tokens and keys that a text may contain."""

from __future__ import annotations

import re

MASK = "***"
"""Replaces a secret."""

SECRET_NAME = re.compile(r"auth|token|key|pass|pwd|secret|sig|cred|session|login", re.IGNORECASE)
"""Matches the name of a value that nobody may see."""

LOGIN = r"(\w://)[^/\s@]+@"
"""Matches the start of an address with user and password."""

SCHEME = r"\b((?i:Bearer|Basic))\s+(?=\S*[A-Z0-9=])[^\s,;'\"]{8,}"
"""Matches the word before a token or login in a header; "basic lighting" is not one."""

ASSIGNED = r"([\w-]{1,64}=)(?!\*\*\*)[^\s&\"',;]+"
"""Matches `token=…`, as in queries and settings. `SECRET_NAME` decides which names are secret."""

NAMED = re.compile(
    r"((?:api[_-]?key|token|password|passwd|secret|authorization)[\"']?\s*:\s*[\"']?)"
    r"(?!(?:Bearer|Basic)\s|\*\*\*)[^\s&\"',;]+",
    re.IGNORECASE,
)
"""Matches `api_key: …`, as in headers and JSON, but not `KeyError: …`."""


def mask_text(text: str) -> str:
    """Mask what looks like a secret, by its place or name, in a text that somebody else wrote."""
    text = re.sub(LOGIN, rf"\1{MASK}@", text)
    text = re.sub(SCHEME, rf"\1 {MASK}", text)
    text = re.sub(ASSIGNED, _mask_assigned, text)
    return NAMED.sub(rf"\1{MASK}", text)


def _mask_assigned(found: re.Match[str]) -> str:
    name = found[1]
    if not SECRET_NAME.search(name):
        return found[0]
    return f"{name}{MASK}"

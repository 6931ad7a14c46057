"""A model file that a preset needs: its name, its folder, and where it can be downloaded."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Annotated, Any, Literal, get_args
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from comfygradio.forms.plain_scalar import coerce_text

MAX_PATH = 400
"""Maximum number of characters of a name or a folder."""

MAX_URL = 2000
"""Maximum number of characters of an address."""

HashType = Literal["SHA256", "BLAKE3"]
"""The kinds of hashes that tell one file from every other. Both have 64 digits."""

HASH = re.compile(r"[0-9a-fA-F]{64}")


class ModelEntry(BaseModel):
    """A model file that a preset needs, as ComfyUI's workflows describe it."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    name: Annotated[str, BeforeValidator(coerce_text)] = Field(
        description="The file's name in its folder, as ComfyUI lists it."
    )
    folder: Annotated[str, BeforeValidator(coerce_text)] = Field(
        description="ComfyUI's folder for it below models, for example checkpoints."
    )
    url: Annotated[str, BeforeValidator(coerce_text)] = Field(
        description="Where it can be downloaded; begins with https:// or http://."
    )
    hash: Annotated[str | None, BeforeValidator(coerce_text)] = Field(
        default=None, description="The file's hash, in 64 hexadecimal digits."
    )
    hash_type: Annotated[HashType, BeforeValidator(coerce_text)] = Field(
        default="SHA256", description="Which hash it is."
    )

    @property
    def path(self) -> str:
        """The file's place below the folder `models`."""
        return f"{self.folder}/{self.name}"

    @property
    def root(self) -> str:
        """The folder that ComfyUI lists as one; `folder` may be below it."""
        root, _, _ = self.folder.partition("/")
        return root

    @property
    def identity(self) -> tuple[str, str] | None:
        """What all copies of this file have in common: type and digits of the hash; None if the
        hash is not known.
        """
        if self.hash is None:
            return None
        return self.hash_type, self.hash

    @field_validator("name", "folder")
    @classmethod
    def _check_path(cls, text: str) -> str:
        check_model_path(text)
        return text

    @field_validator("url")
    @classmethod
    def _check_url(cls, text: str) -> str:
        check_model_url(text)
        return text

    @field_validator("hash")
    @classmethod
    def _check_hash(cls, text: str | None) -> str | None:
        if text is None:
            return None
        if not HASH.fullmatch(text):
            raise ValueError("a hash has 64 hexadecimal digits")
        return text.lower()

    @model_validator(mode="after")
    def _check_hash_type(self) -> ModelEntry:
        if self.hash is None and "hash_type" in self.model_fields_set:
            raise ValueError("has a hash_type without a hash; add the hash, or remove hash_type")
        return self


def parse_listed_model(data: Mapping[str, Any]) -> ModelEntry:
    """Parse an entry of `properties.models` of a node in UI format. A hash that cannot be used here
    is dropped.

    Raises ValueError, which says what is wrong with the entry.
    """
    keys = {"name": data.get("name"), "folder": data.get("directory"), "url": data.get("url")}
    digits = data.get("hash")
    hash_type = str(data.get("hash_type") or "SHA256").upper()
    is_hash = isinstance(digits, str) and HASH.fullmatch(digits)
    if is_hash and hash_type in get_args(HashType):
        keys["hash"] = digits
        if hash_type != "SHA256":
            keys["hash_type"] = hash_type
    try:
        return ModelEntry.model_validate(keys)
    except ValidationError as error:
        raise ValueError(_describe_first(error)) from error


def _describe_first(error: ValidationError) -> str:
    """Describe the first thing that is wrong with an entry of a file."""
    first = error.errors()[0]
    key, *_ = first["loc"]
    if str(first["type"]).endswith("_type"):
        return f"its {key} is not a text"
    message = str(first["msg"]).removeprefix("Value error, ")
    return f"{key}: {message}"


def check_model_path(text: str) -> None:
    """Raise ValueError for a path that could lead out of ComfyUI's folder, on any system, or that
    cannot be shown on one line.
    """
    if not text or len(text) > MAX_PATH:
        raise ValueError(f"this has to be a name of 1 to {MAX_PATH} characters")
    if _has_control_character(text):
        raise ValueError("this has to be a name without line breaks and control characters")
    # Windows takes a backslash for a slash, and C: for a drive.
    if "\\" in text or ":" in text:
        raise ValueError("this has to be a name with / between its folders, and without \\ and :")
    parts = text.split("/")
    # Windows leaves out dots and spaces at the end of a name.
    if any(part.strip().strip(". ") == "" for part in parts):
        raise ValueError("this has to be a name inside of ComfyUI's folder, without .. and //")


def check_model_url(text: str) -> None:
    """Raise ValueError for anything but a plain address of a file on the web."""
    if len(text) > MAX_URL:
        raise ValueError(f"an address has at most {MAX_URL} characters")
    if _has_control_character(text) or any(character.isspace() for character in text):
        raise ValueError("an address has no spaces and line breaks")
    # Programs disagree on whether a backslash ends the name of the host.
    if "\\" in text:
        raise ValueError("an address has / and no \\")
    try:
        parts = urlsplit(text)
        # Reading `port` raises ValueError unless it is a number up to 65535.
        has_host = bool(parts.hostname) and parts.port != 0
    except ValueError:
        has_host = False
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or not has_host:
        raise ValueError("this has to be an address that begins with https:// or http://")
    if "@" in parts.netloc:
        raise ValueError("leave the user and password out of the address")


def _has_control_character(text: str) -> bool:
    """Whether a text has a character that a terminal obeys or hides, or that breaks lines."""
    for character in text:
        category = unicodedata.category(character)
        # Zl and Zp separate lines and paragraphs.
        if category.startswith("C") or category in ("Zl", "Zp"):
            return True
    return False

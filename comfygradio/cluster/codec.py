"""The answers of a worker to an app: our own values and errors, as bytes.

Dask could send the values as they are. Two things speak against it: an error that cannot be
unpickled leaves its caller waiting for ever (`ActorFuture`, distributed 2026.8), and a file's
source is a client that has to stay behind.

That only our own types are unpacked guards against mistakes and other versions. It is no defence
against a hostile worker: Dask unpickles whatever a message marks as pickled before we see it, so
who holds a certificate of the cluster can run code in its apps as in its workers.
"""

from __future__ import annotations

import io
import logging
import pickle
from collections.abc import Callable
from dataclasses import dataclass, is_dataclass
from typing import Any

from comfygradio.comfy.client import ComfyClient
from comfygradio.comfy.outputs import FileSource
from comfygradio.comfy.prompt_progress import PromptProgress
from comfygradio.errors import ComfyGradioError, UnexpectedResponse

CHUNK_BYTES = 1 << 20
"""Files are sent in pieces of this size."""

CANCEL = "cancel"
DETACH = "let go"
HAND_BACK = "hand back"
"""Ways to end a run on a worker. Apps send the first two, those of other versions as well: the
words stay.
"""

SOURCE = "source"
"""Replaces the client that fetches a file, which is not sent."""

OURS = ("comfygradio.errors", "comfygradio.comfy.", "comfygradio.cluster.codec")
PLAIN = frozenset([("builtins", "set"), ("builtins", "frozenset"), ("collections", "OrderedDict")])

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Notice:
    """What a worker says about its backend; `began` tells two workers of one backend apart.

    The app that receives it adds the worker's address, and when it was `heard`.
    """

    address: str
    url: str
    trouble: str
    is_leaving: bool
    began: float
    heard: float = 0.0


@dataclass(frozen=True)
class News:
    """The newest state of a run. `version` grows with every state; a preview that was sent before
    is left out.
    """

    version: int
    state: PromptProgress | None
    is_over: bool = False
    failure: ComfyGradioError | None = None


@dataclass(frozen=True)
class Piece:
    """The beginning of a file of `size` bytes, and the ticket to read the rest with; "" if there is
    no more.
    """

    data: bytes
    size: int
    ticket: str = ""


class _Packer(pickle.Pickler):
    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file, protocol=5)
        # Without what distributed registers for all programs, such as tracebacks of exceptions.
        self.dispatch_table = {}

    def persistent_id(self, value: Any) -> str | None:
        if isinstance(value, ComfyClient):
            return SOURCE
        return None


class _Unpacker(pickle.Unpickler):
    def __init__(self, data: bytes, source: FileSource | None) -> None:
        file = io.BytesIO(data)
        super().__init__(file)
        self._source = source

    def persistent_load(self, pid: Any) -> FileSource | None:
        return self._source

    def find_class(self, module: str, name: str) -> Any:
        """Find a class that may be unpacked: one of our records or errors."""
        if (module, name) in PLAIN:
            return super().find_class(module, name)
        # A name with a dot would lead from a module of ours into another one.
        if module.startswith(OURS) and "." not in name:
            found = super().find_class(module, name)
            if _may_be_sent(found):
                return found
        raise pickle.UnpicklingError(f"{module}.{name} is nothing that is sent here")


def _may_be_sent(found: Any) -> bool:
    if not isinstance(found, type):
        return False
    is_named_tuple = issubclass(found, tuple) and hasattr(found, "_fields")
    return is_dataclass(found) or is_named_tuple or issubclass(found, ComfyGradioError)


def pack(value: Any) -> bytes:
    """Pack a value; clients in it are left out."""
    written = io.BytesIO()
    packer = _Packer(written)
    packer.dump(value)
    return written.getvalue()


def unpack(data: bytes, source: FileSource | None = None) -> Any:
    """Unpack a value; `source` takes the place of a client that was left out.

    Raises UnexpectedResponse.
    """
    try:
        unpacker = _Unpacker(data, source)
        return unpacker.load()
    except Exception as error:  # broken data may raise any kind of error
        log.warning("something unreadable came from another machine: %s", error)
        raise UnexpectedResponse(
            "Another machine of the cluster sent something that cannot be read; does it run the "
            "same comfygradio?"
        ) from None


def pack_outcome(work: Callable[[], Any]) -> bytes:
    """What a function returns or raises, as bytes.

    Anything but an error of ours is a mistake, and is logged.
    """
    try:
        value = work()
        return pack((True, value))
    except ComfyGradioError as error:
        return pack((False, error))
    except Exception:
        log.exception("a call from another machine failed unexpectedly")
        failure = UnexpectedResponse(
            "The worker beside this ComfyUI failed; its log has the details."
        )
        return pack((False, failure))


def unpack_outcome(data: bytes, source: FileSource | None = None) -> Any:
    """Return what was returned there, or raise what was raised there.

    Raises UnexpectedResponse for anything else.
    """
    outcome = unpack(data, source)
    if not isinstance(outcome, tuple) or len(outcome) != 2:
        raise UnexpectedResponse(
            "Another machine of the cluster answered something else than was asked."
        )
    is_fine, value = outcome
    if is_fine:
        return value
    if isinstance(value, ComfyGradioError):
        raise value
    raise UnexpectedResponse("A worker failed without an error.")

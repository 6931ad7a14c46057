"""Sealing: no answer shows a file of the host because a browser or a foreign server named it.

Gradio copies a file into its public cache wherever the answer of a function names it: as the value
of a component that shows files, or as an object with a path in any other one. A path that a page
sent, or that stood in somebody's picture, must never become one.
"""

from __future__ import annotations

import logging
import re
import secrets
from collections.abc import Awaitable, Callable, Iterator, Sequence
from copy import copy
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
from gradio.block_function import BlockFunction
from gradio.state_holder import SessionState
from gradio.utils import get_upload_folder

from comfygradio.ui.middleware.refusal_status import note_refusal

REFUSED = "This answer names a file that is not among those to be shown, so it was held back."

UNREADABLE = "What was sent cannot be read; reload the page and try again."

BROKEN = "Something went wrong in comfygradio itself; its log has the details."

FILE_MARK = "gradio.FileData"
"""How Gradio marks an object that names a file."""

MAX_DEPTH = 100
"""Lists and mappings inside of each other in an answer; JSON is written down to 254."""

MIN_INTEGER = -(2**63)
MAX_INTEGER = 2**64 - 1
"""Gradio writes its answers with orjson, which takes whole numbers between these."""

LONE_SURROGATE = re.compile("[\ud800-\udfff]")
"""Lone surrogates, which UTF-8 cannot encode."""

Postprocess = Callable[[BlockFunction, Any], Awaitable[list[Any]]]
"""What Gradio makes of the values that a function returns, one for each output."""

log = logging.getLogger(__name__)


class FileGuardedBlocks(gr.Blocks):
    """Blocks whose answers name no file but uploads and, to programs, results.

    Raises `gr.Error` for any other, in the place of the answer; and where Gradio itself cannot make
    anything of what was sent.
    """

    async def process_api(self, block_fn: BlockFunction | int, *args: Any, **more: Any) -> Any:
        """Gradio's own, with a sentence in the place of every error."""
        event = more.get("event_data")
        if event is not None and not isinstance(event._data, dict):
            event._data = {}  # Gradio takes it for one, whatever was sent
        try:
            if event is not None and not names_uploads_only(event._data):
                raise gr.Error(UNREADABLE, print_exception=False)
            return await super().process_api(block_fn, *args, **more)
        except gr.Error as error:
            asked = more.get("request")
            if isinstance(asked, gr.Request) and asked.request is not None:
                note_refusal(asked.request, error.__cause__)
            raise gr.Error(error.message, print_exception=False) from None
        except (StopAsyncIteration, StopIteration):
            raise  # how Gradio learns that a stream has ended
        except Exception as error:  # whatever goes wrong, nothing about this machine gets out
            mark = secrets.token_hex(4)
            log.exception("an event could not be answered (%s)", mark)
            told = f"{BROKEN} Look there for {mark}."
            raise gr.Error(told, print_exception=False) from error

    async def preprocess_data(
        self,
        block_fn: BlockFunction,
        inputs: list[Any],
        state: SessionState | None,
        explicit_call: bool = False,
    ) -> list[Any]:
        """Gradio's own, with a sentence in the place of its errors, which may name folders."""
        fill_missing_inputs(block_fn, inputs)
        try:
            read: list[Any] = await super().preprocess_data(block_fn, inputs, state, explicit_call)
        except gr.Error as error:
            raise gr.Error(error.message, print_exception=False) from None
        except Exception as error:  # any value may come from outside, so that any error may
            log.info("what was sent to %s cannot be read: %s", block_fn.name, type(error).__name__)
            raise gr.Error(UNREADABLE, print_exception=False) from None
        return read

    async def postprocess_data(
        self,
        block_fn: BlockFunction,
        predictions: list[Any] | dict[Any, Any],
        state: SessionState | None,
    ) -> list[Any]:
        """Call Gradio's version after checking that the answer names no other file."""
        folders = [Path(get_upload_folder())]
        if block_fn.api_visibility == "public":
            folders += map(Path, self.allowed_paths)
        for value, takes in _pair_values(predictions, block_fn.outputs):
            if not names_only_allowed_files(value, folders, takes_paths=takes):
                log.warning("an answer of %s named a file that is not to be shown", block_fn.name)
                raise gr.Error(REFUSED, print_exception=False)
        if not is_json_writable(predictions):
            raise gr.Error(UNREADABLE, print_exception=False)
        gradios = super().postprocess_data

        async def postprocess(part: BlockFunction, values: Any) -> list[Any]:
            return await gradios(part, values, state)

        return await postprocess_changed(postprocess, block_fn, predictions)


def fill_missing_inputs(block_fn: BlockFunction, inputs: list[Any]) -> None:
    """Put the defaults where a program sent fewer values than its endpoint has parameters, as the
    page about the API says.
    """
    if block_fn.api_visibility != "public":
        return
    for missing in block_fn.inputs[len(inputs) :]:
        inputs.append(getattr(missing, "value", None))


def _pair_values(predictions: Any, outputs: Sequence[Any]) -> list[tuple[Any, bool]]:
    """Each value of an answer, and whether its component takes paths; in doubt it does."""
    takes = [takes_paths(block) for block in outputs]
    if len(outputs) == 1:
        return [(predictions, takes[0])]
    if not isinstance(predictions, dict):
        return list(zip(predictions or (), takes, strict=False))
    if predictions == gr.skip():
        return []
    # The keys are components, in any order.
    return [(one, True) for one in predictions.values()]


def takes_paths(block: Any) -> bool:
    """Whether a text that is given to a component may be the path of a file."""
    if isinstance(block, gr.JSON):
        return False
    return getattr(block, "data_model", None) is not None


def names_only_allowed_files(value: Any, folders: Sequence[Path], *, takes_paths: bool) -> bool:
    """Whether a value names no file outside of these folders, and changes nothing but a value."""
    if isinstance(value, dict) and "__type__" in value:
        return bool(value == gr.skip())
    paths = _list_paths(value, takes_paths=takes_paths)
    return all(_is_inside(path, folders) for path in paths)


def names_uploads_only(told: Any) -> bool:
    """Whether what an event tells names no file but uploads: Gradio tells of a changed file which
    one it is.
    """
    folders = [Path(get_upload_folder())]
    paths = _list_paths(told, takes_paths=False)
    return all(_is_inside(path, folders) for path in paths)


def is_json_writable(value: Any) -> bool:
    """Whether a value that was sent, and is part of an answer, can be written as JSON."""
    waiting = [(value, 0)]
    while waiting:
        one, depth = waiting.pop()
        if depth > MAX_DEPTH:
            return False
        if isinstance(one, int) and not MIN_INTEGER <= one <= MAX_INTEGER:
            return False
        if isinstance(one, str) and not one.isascii() and LONE_SURROGATE.search(one):
            return False
        if isinstance(one, dict):
            waiting += [(key, depth + 1) for key in one]
            waiting += [(inner, depth + 1) for inner in one.values()]
        elif isinstance(one, list | tuple):
            waiting += [(inner, depth + 1) for inner in one]
    return True


def _list_paths(value: Any, *, takes_paths: bool) -> Iterator[Any]:
    """Everything in a value that Gradio may take for a path or an address; never recursive, since
    a value may be nested as deeply as somebody likes.
    """
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            mark = one.get("meta")
            if "path" in one and isinstance(mark, dict) and mark.get("_type") == FILE_MARK:
                yield one["path"]
            waiting += one.values()
        elif isinstance(one, list | tuple):
            waiting += one
        elif hasattr(one, "constructor_args"):
            waiting.append(one.constructor_args.get("value"))
        elif isinstance(one, SimpleNamespace):
            waiting.append(vars(one).get("value"))
        elif isinstance(one, str | Path) and takes_paths and str(one):
            yield one


def _is_inside(path: Any, folders: Sequence[Path]) -> bool:
    if not isinstance(path, str | Path) or "\0" in str(path):
        return False
    try:
        found = Path(path).resolve()
    except (OSError, RuntimeError):
        return False
    return any(found.is_relative_to(folder.resolve()) for folder in folders)


async def postprocess_changed(
    postprocess: Postprocess, block_fn: BlockFunction, predictions: Any
) -> list[Any]:
    """What `postprocess` makes of the values, without asking it about those that are skipped.

    For each of these Gradio 6.31 makes the component anew, which takes half a millisecond of the
    event loop that serves everybody, and keeps it as long as the session. Whoever sends many
    events, each as another session, would fill the memory with them, and every run of the garbage
    collector would take longer.
    """
    outputs = block_fn.outputs
    if isinstance(predictions, dict) and predictions == gr.skip():
        values = [predictions] * len(outputs)
    elif len(outputs) == 1:
        values = [predictions]
    else:
        values = predictions
    if not isinstance(values, list | tuple) or len(values) != len(outputs):
        return await postprocess(block_fn, predictions)
    asked = []
    for number, value in enumerate(values):
        is_skipped = isinstance(value, dict) and value == gr.skip()
        if outputs[number].stateful or not is_skipped:
            asked.append(number)
    if block_fn.batch or len(asked) == len(values):
        return await postprocess(block_fn, predictions)
    answer: list[Any] = [gr.skip() for _ in values]
    if not asked:
        return answer
    part = copy(block_fn)
    part.outputs = [outputs[number] for number in asked]
    given = [values[number] for number in asked]
    # Gradio takes the value of a single output as it is, and several as a list.
    made = await postprocess(part, given[0] if len(given) == 1 else given)
    for number, value in zip(asked, made, strict=True):
        answer[number] = value
    return answer

"""Guards against leaks of files: no answer may show a file of this machine because a browser or
another server named it.

Gradio copies a file into its public cache if the answer of a function names it: as the value of a
component that shows files, or as an object with a path in any other component. A path that a page
sent, or that somebody's picture contained, must never get into an answer.
"""

from __future__ import annotations

import logging
import re
import secrets
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
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
"""The type by which Gradio marks an object that names a file."""

MAX_DEPTH = 100
"""Deepest nesting of lists and mappings in an answer; Gradio writes JSON down to 254."""

MIN_INTEGER = -(2**63)
MAX_INTEGER = 2**64 - 1
"""Gradio writes its answers with orjson, which takes only integers between these."""

LONE_SURROGATE = re.compile("[\ud800-\udfff]")
"""Lone surrogates, which UTF-8 cannot encode."""

Postprocess = Callable[[BlockFunction, Any], Awaitable[list[Any]]]
"""Gradio's conversion of the values that a function returns, one for each output."""

log = logging.getLogger(__name__)


class FileGuardedBlocks(gr.Blocks):
    """Blocks whose answers name no files but uploads and, to programs, results.

    Raises `gr.Error` instead of an answer that names another file, and if Gradio itself fails at
    what was sent.
    """

    async def process_api(self, block_fn: BlockFunction | int, *args: Any, **more: Any) -> Any:
        """Call Gradio's version, and replace every error by a `gr.Error` with a sentence."""
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
            raise  # Gradio learns from these that a stream has ended
        except Exception as error:  # its text may tell something about this machine
            mark = secrets.token_hex(4)
            log.exception("an event could not be answered (%s)", mark)
            message = f"{BROKEN} Look there for {mark}."
            raise gr.Error(message, print_exception=False) from error

    async def preprocess_data(
        self,
        block_fn: BlockFunction,
        inputs: list[Any],
        state: SessionState | None,
        explicit_call: bool = False,
    ) -> list[Any]:
        """Call Gradio's version, and replace its errors, which may name folders, by a sentence."""
        fill_missing_inputs(block_fn, inputs)
        try:
            read: list[Any] = await super().preprocess_data(block_fn, inputs, state, explicit_call)
        except gr.Error as error:
            raise gr.Error(error.message, print_exception=False) from None
        except Exception as error:  # anything may have been sent, so any error may be raised
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
        gradio_postprocess = super().postprocess_data

        async def postprocess(part: BlockFunction, values: Any) -> list[Any]:
            return await gradio_postprocess(part, values, state)

        return await postprocess_changed(postprocess, block_fn, predictions)


def fill_missing_inputs(block_fn: BlockFunction, inputs: list[Any]) -> None:
    """Append the defaults if a program sent fewer values than its endpoint has parameters, as the
    page about the API promises.
    """
    if block_fn.api_visibility != "public":
        return
    for missing in block_fn.inputs[len(inputs) :]:
        inputs.append(getattr(missing, "value", None))


def _pair_values(predictions: Any, outputs: Sequence[Any]) -> list[tuple[Any, bool]]:
    """Pair each value of an answer with whether its component takes paths; in doubt, it does."""
    takes = [takes_paths(block) for block in outputs]
    if len(outputs) == 1:
        return [(predictions, takes[0])]
    if not isinstance(predictions, dict):
        return list(zip(predictions or (), takes, strict=False))
    if predictions == gr.skip():
        return []
    # The keys are components, in any order.
    return [(value, True) for value in predictions.values()]


def takes_paths(block: Any) -> bool:
    """Return whether a component may take a text for the path of a file."""
    if isinstance(block, gr.JSON):
        return False
    return getattr(block, "data_model", None) is not None


def names_only_allowed_files(value: Any, folders: Sequence[Path], *, takes_paths: bool) -> bool:
    """Return whether a value names no file outside of these folders, and is not an update that
    changes more than a value.
    """
    if isinstance(value, dict) and "__type__" in value:
        is_skip = value == gr.skip()
        return bool(is_skip)
    paths = _list_paths(value, takes_paths=takes_paths)
    return _are_inside(paths, folders)


def names_uploads_only(data: Any) -> bool:
    """Return whether the data of an event names no files but uploads: the event of a changed file
    says which file it is.
    """
    folders = [Path(get_upload_folder())]
    paths = _list_paths(data, takes_paths=False)
    return _are_inside(paths, folders)


def is_json_writable(value: Any) -> bool:
    """Return whether a value that was sent, and is part of an answer, can be written as JSON."""
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
    """Yield everything in a value that Gradio may take for a path or an address.

    Not recursive, since people may send values that are nested very deeply.
    """
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            if "path" in one and _is_marked_as_file(one):
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


def _is_marked_as_file(value: dict[Any, Any]) -> bool:
    mark = value.get("meta")
    if not isinstance(mark, dict):
        return False
    return bool(mark.get("_type") == FILE_MARK)


def _are_inside(paths: Iterable[Any], folders: Sequence[Path]) -> bool:
    return all(_is_inside(path, folders) for path in paths)


def _is_inside(path: Any, folders: Sequence[Path]) -> bool:
    if not isinstance(path, str | Path) or "\0" in str(path):
        return False
    try:
        resolved = Path(path).resolve()
    except (OSError, RuntimeError):
        return False
    return any(resolved.is_relative_to(folder.resolve()) for folder in folders)


async def postprocess_changed(
    postprocess: Postprocess, block_fn: BlockFunction, predictions: Any
) -> list[Any]:
    """Call `postprocess` only for the outputs whose values are not skipped.

    For each skipped value Gradio 6.31 makes the component anew, which takes half a millisecond of
    the event loop that serves everybody, and keeps it as long as the session. Somebody who sends
    many events, each as another session, would fill the memory with them, and every run of the
    garbage collector would take longer.
    """
    outputs = block_fn.outputs
    values = _list_values(predictions, len(outputs))
    if values is None or block_fn.batch:
        return await postprocess(block_fn, predictions)
    changed = []
    for number, value in enumerate(values):
        if outputs[number].stateful or not _is_skipped(value):
            changed.append(number)
    if len(changed) == len(values):
        return await postprocess(block_fn, predictions)
    answer: list[Any] = [gr.skip() for _ in values]
    if not changed:
        return answer
    part = copy(block_fn)
    part.outputs = [outputs[number] for number in changed]
    part_values = [values[number] for number in changed]
    # Gradio takes the value of a single output as it is, and several as a list.
    part_predictions = part_values[0] if len(part_values) == 1 else part_values
    processed = await postprocess(part, part_predictions)
    for number, value in zip(changed, processed, strict=True):
        answer[number] = value
    return answer


def _list_values(predictions: Any, count: int) -> Sequence[Any] | None:
    """List what a function returned for each of its outputs; None if it returned anything else."""
    if _is_skipped(predictions):
        return [predictions] * count
    if count == 1:
        return [predictions]
    if not isinstance(predictions, list | tuple) or len(predictions) != count:
        return None
    return predictions


def _is_skipped(value: Any) -> bool:
    return isinstance(value, dict) and bool(value == gr.skip())

"""Outputs of an event that stay as they are.

Gradio 6.31 makes the component of each of them anew, which takes half a millisecond of the event
loop that serves everybody, and keeps it as long as the session. Whoever sends many events, each as
another session, would fill the memory with them, and every run of the garbage collector would take
longer.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from copy import copy
from typing import Any

import gradio as gr
from gradio.block_function import BlockFunction

Postprocess = Callable[[BlockFunction, Any], Awaitable[list[Any]]]
"""What Gradio makes of the values that a function returns, one for each output."""


async def postprocess_changed(
    postprocess: Postprocess, block_fn: BlockFunction, predictions: Any
) -> list[Any]:
    """What `postprocess` makes of the values, without asking it about those that are skipped."""
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

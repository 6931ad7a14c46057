"""Who somebody is: the user who is logged in, or a random id that the browser keeps."""

from __future__ import annotations

import hashlib
import re
from typing import Any

import gradio as gr

from comfygradio.ui.assets import read_asset


def build_person() -> gr.HTML:
    """Draw what nobody sees: a component whose value is the random id by which a browser knows its
    person.
    """
    script = f"{read_asset('person.js')}\nprops.value = readPerson();"
    return gr.HTML(None, html_template="<i hidden></i>", js_on_load=script, elem_id="cg-person")


def name_owner(request: gr.Request, who: Any) -> str:
    """Whose job it is: the user who is logged in, else the browser with this random id, else the
    tab that asks.

    The id is a secret of the browser, so that only its hash is kept.
    """
    if request.username:
        return f"user:{request.username}"
    known = isinstance(who, str) and re.fullmatch(r"[0-9a-f]{32}", who)
    secret = who if known else f"session:{request.session_hash}"
    return f"anon:{hashlib.sha256(secret.encode()).hexdigest()[:32]}"

"""Owners of jobs: a user who is logged in, or a browser that keeps a random id."""

from __future__ import annotations

import hashlib
import re
from typing import Any

import gradio as gr

from comfygradio.ui.identity.person import Person, find_person
from comfygradio.ui.static.bundle import bundle


def build_person() -> gr.HTML:
    """Draw a hidden component whose value is the random id that the browser keeps."""
    return gr.HTML(
        None,
        html_template="<i hidden></i>",
        js_on_load=bundle("page/person_value.js"),
        elem_id="cg-person",
    )


def find_owner(request: gr.Request, who: Any) -> str:
    """Find the owner of what a page does: the user who is logged in, else the browser with the
    random id `who`, else the tab that sends the request.

    The id is a secret of the browser, so the owner contains only its hash.
    """
    person = find_person(request)
    if person.login:
        return f"user:{person.login}"
    secret = f"session:{request.session_hash}"
    if isinstance(who, str) and re.fullmatch(r"[0-9a-f]{32}", who):
        secret = who
    digest = hashlib.sha256(secret.encode()).hexdigest()
    return f"anon:{digest[:32]}"


def find_program_owner(person: Person) -> str:
    """Find the owner of what a program does: the user who is logged in, else all programs at its
    network address.
    """
    if person.login:
        return f"user:{person.login}"
    return f"api:{person.address}"

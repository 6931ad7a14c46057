"""Who somebody is: the user who is logged in, or a random id that the browser keeps."""

from __future__ import annotations

import hashlib
import re
from typing import Any

import gradio as gr

from comfygradio.ui.assets import read_asset
from comfygradio.ui.identity.person import Person, find_person


def build_person() -> gr.HTML:
    """Draw what nobody sees: a component whose value is the random id by which a browser knows its
    person.
    """
    scripts = [read_asset("storage.js"), read_asset("person.js"), "props.value = readPerson();"]
    script = "\n".join(scripts)
    return gr.HTML(None, html_template="<i hidden></i>", js_on_load=script, elem_id="cg-person")


def find_owner(request: gr.Request, who: Any) -> str:
    """Whose job it is: the user who is logged in, else the browser with this random id, else the
    tab that asks.

    The id is a secret of the browser, so that only its hash is kept.
    """
    person = find_person(request)
    if person.login:
        return f"user:{person.login}"
    known = isinstance(who, str) and re.fullmatch(r"[0-9a-f]{32}", who)
    secret = who if known else f"session:{request.session_hash}"
    digest = hashlib.sha256(secret.encode()).hexdigest()
    return f"anon:{digest[:32]}"


def find_program_owner(person: Person) -> str:
    """Whose job it is that a program starts: the user's who is logged in, else that of all programs
    at its network address.
    """
    if person.login:
        return f"user:{person.login}"
    return f"api:{person.address}"

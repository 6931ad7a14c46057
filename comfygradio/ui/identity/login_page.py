"""The page where people log in: plain HTML, no script."""

from __future__ import annotations

import base64
import hashlib
import html
from string import Template
from urllib.parse import parse_qsl, urlencode

from comfygradio.ui.assets import read_asset

MAX_QUERY_LENGTH = 2_000
"""Characters of the address's query that are kept through a login."""


def render_login(action: str, query: str, sentence: str = "", user: str = "") -> str:
    """The page as HTML; `action` is where its form goes, `query` the query of the address that was
    asked for, `sentence` what was wrong.
    """
    note = f'<p class="note" role="alert">{html.escape(sentence)}</p>' if sentence else ""
    return Template(read_asset("login.html")).substitute(
        style=read_asset("login.css"),
        action=html.escape(action),
        query=html.escape(clean_query(query)),
        note=note,
        user=html.escape(user),
        name_focus="" if user else " autofocus",
        password_focus=" autofocus" if user else "",
    )


def make_login_policy() -> str:
    """What the page may do: have its own style, and send its form to where it came from."""
    css = read_asset("login.css").encode()
    digest = hashlib.sha256(css).digest()
    style = base64.b64encode(digest).decode()
    return f"default-src 'none'; style-src 'sha256-{style}'; form-action 'self'; base-uri 'none'"


def clean_query(query: str) -> str:
    """A query with its names and values written anew, so that it can stand in any address."""
    if len(query) > MAX_QUERY_LENGTH:
        return ""
    try:
        pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=100)
        return urlencode(pairs)
    except ValueError:
        return ""

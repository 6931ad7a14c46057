"""The links at the top of the page, and the way out."""

from __future__ import annotations

import gradio as gr

from comfygradio.ui.page import DRAWING, build_navigation


def draw(*, has_login: bool) -> str:
    with DRAWING, gr.Blocks():
        navigation = build_navigation({"history": "History"}, has_login=has_login)
    return str(navigation.html_template)


def test_only_a_login_of_ours_can_be_ended_and_only_by_a_post() -> None:
    ours = draw(has_login=True)
    assert '<form method="post" action="logout">' in ours and 'href="logout"' not in ours
    others = draw(has_login=False)
    assert "logout" not in others
    assert 'class="cg-login" hidden' in ours and 'class="cg-login" hidden' in others

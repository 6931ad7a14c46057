"""Light sessions: what Gradio keeps for each open page, without the parts that only its deep links
use.
"""

from __future__ import annotations

from typing import Any

from gradio import Blocks
from gradio.routes import App
from gradio.state_holder import SessionState, StateHolder

from comfygradio.ui.web_file_mover import copy_mover


class LightSession(SessionState):
    """A session that does not compute the settings of components.

    When a page sends its first event, Gradio 6.31 computes those of every component, for a button
    that we do not have: 0.2 ms each, on the event loop that serves everybody.
    """

    def __init__(self, blocks: Blocks) -> None:
        without_components = _BlocksWithoutComponents(blocks)
        super().__init__(without_components)  # type: ignore[arg-type]

    def __setitem__(self, key: int, value: Any) -> None:
        """Store a component that Gradio made anew after an update; it fetches files as before."""
        before = self.blocks_config.blocks.get(key)
        copy_mover(before, value)
        super().__setitem__(key, value)

    def _update_value_in_config(self, key: int, value: Any) -> None:
        """Do nothing: only deep links would read the value."""


class LightSessions(StateHolder):
    """The sessions of all pages; new ones are light."""

    def __getitem__(self, session_id: str) -> SessionState:
        if session_id not in self.session_data:
            self.session_data[session_id] = LightSession(self.blocks)
        return super().__getitem__(session_id)


class _BlocksWithoutComponents:
    """Blocks that pretend to have no components."""

    def __init__(self, blocks: Blocks) -> None:
        self._blocks = blocks
        self.blocks: dict[int, Any] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._blocks, name)


def use_light_sessions(app: App) -> None:
    """Make new sessions of an app light; existing ones stay as they are."""
    sessions = LightSessions()  # type: ignore[no-untyped-call]
    sessions.session_data = app.state_holder.session_data
    sessions.time_last_used = app.state_holder.time_last_used
    sessions.set_blocks(app.get_blocks())
    app.state_holder = sessions

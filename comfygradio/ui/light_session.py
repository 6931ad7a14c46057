"""Sessions of the page: what Gradio keeps for each open page, without what it keeps for its deep
links alone.
"""

from __future__ import annotations

from typing import Any

from gradio import Blocks
from gradio.routes import App
from gradio.state_holder import SessionState, StateHolder

from comfygradio.ui.web_file_mover import copy_mover


class LightSession(SessionState):
    """By itself Gradio 6.31 works out the settings of every component when a page sends its first
    event, for a button that we do not have: 0.2 ms each, on the event loop that serves everybody.
    """

    def __init__(self, blocks: Blocks) -> None:
        super().__init__(_BlocksWithoutComponents(blocks))  # type: ignore[arg-type]

    def __setitem__(self, key: int, value: Any) -> None:
        """After an update Gradio makes a component anew; it goes on to get files our way."""
        copy_mover(self.blocks_config.blocks.get(key), value)
        super().__setitem__(key, value)

    def _update_value_in_config(self, key: int, value: Any) -> None:
        """Only deep links would read it."""


class LightSessions(StateHolder):
    """The sessions of all pages."""

    def __getitem__(self, session_id: str) -> SessionState:
        if session_id not in self.session_data:
            self.session_data[session_id] = LightSession(self.blocks)
        return super().__getitem__(session_id)


class _BlocksWithoutComponents:
    """Blocks that say that they have no components."""

    def __init__(self, blocks: Blocks) -> None:
        self._blocks = blocks
        self.blocks: dict[int, Any] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._blocks, name)


def use_light_sessions(app: App) -> None:
    """Sessions that begin from now on are light; those that there are stay as they are."""
    sessions = LightSessions()  # type: ignore[no-untyped-call]
    sessions.session_data = app.state_holder.session_data
    sessions.time_last_used = app.state_holder.time_last_used
    sessions.set_blocks(app.get_blocks())
    app.state_holder = sessions

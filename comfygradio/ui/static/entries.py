"""Which modules the page imports, and in which of five files a browser gets them.

A file for each module would be 58 requests for the first page alone. Together they
also compress to less than half: from 55 to 25 kB (November 2026).
"""

from __future__ import annotations

from collections.abc import Mapping

CHUNKS: Mapping[str, tuple[str, ...]] = {
    # What concerns the whole page. It is small and comes first: Generate may be pressed at once.
    "page.js": (
        "page/page.js",
        "page/further_page.js",
        "page/navigation.js",
    ),
    # The parts of the forms, which every visitor needs.
    "forms.js": (
        "form/embeddings.js",
        "form/form_tools.js",
        "form/lacking_models.js",
        "form/loras.js",
        "form/model_picker.js",
        "form/picker.js",
        "form/problem.js",
        "form/restore_panel.js",
        "form/size.js",
        "job/job_view.js",
        "looking/tools.js",
        "status/operator_token.js",
        "author/author_link.js",
    ),
    # What is done with results, and what was made last: it comes after the first view.
    "looking.js": ("looking/looking.js",),
    # What opens when people choose a model.
    "pickers.js": ("form/model_dialog.js",),
    # The pages beside the forms, which most people never open.
    "further_pages.js": (
        "history/history_page.js",
        "sweep/sweep_page.js",
        "status/status_page.js",
        "author/draft_editor.js",
        "author/form_preview.js",
    ),
}
"""Name of a file → the modules that the page imports out of it. A file also holds all that these
import, but for what a file before it holds.
"""

PRELOADED = ("page.js", "forms.js")
"""The files that the first page needs."""


def find_chunk(path: str) -> str:
    """Return the name of the file that holds an entry. Raises ValueError for other modules."""
    for name, entries in CHUNKS.items():
        if path in entries:
            return name
    raise ValueError(f"{path} is no module that the page imports: see {__name__}.")

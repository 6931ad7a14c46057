"""Tells operators and authors which models the forms lack, and how to get them.

The page is the same for everybody, so that these details come with events, which know who asks.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import gradio as gr

from comfygradio.forms.form import Form
from comfygradio.forms.kinds.model_name import fold_file_name
from comfygradio.forms.model_entry import ModelEntry
from comfygradio.forms.model_hashes import normalise_folder
from comfygradio.model_files.download import write_command
from comfygradio.model_files.file_sizes import describe_size
from comfygradio.service.service import Service
from comfygradio.ui.identity.person import Person, find_person
from comfygradio.ui.identity.role import AuthorAccess, OperatorAccess
from comfygradio.ui.static import build_mount_script

SIZES_SECONDS = 8.0
"""How long the sizes of a page's models are waited for; a later page finds those that came late."""

EVENT: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden", "queue": False}

Json = dict[str, Any]


class LackingModels:
    """The places for lacking models in the forms of one page, and what is written there."""

    def __init__(
        self,
        service: Service,
        operators: OperatorAccess | None = None,
        authors: AuthorAccess | None = None,
    ) -> None:
        self._service = service
        self._operators = operators
        self._authors = authors
        self._forms: list[Form] = []
        self._views: list[gr.HTML] = []

    def draw(self, form: Form) -> None:
        """Draw the place for a form's lacking models inside the current Blocks. It stays empty for
        everybody but operators and authors.
        """
        has_readers = self._operators is not None or self._authors is not None
        if not form.lacking_models or not has_readers:
            return
        view = gr.HTML(
            None,
            # Names of models come from foreign files and are never part of a template.
            html_template='<div class="cg-lacking" hidden></div>',
            js_on_load=build_mount_script("form/lacking_models.js"),
            elem_classes="cg-lacking-block",
        )
        self._forms.append(form)
        self._views.append(view)

    def listen(self, blocks: gr.Blocks) -> None:
        """Fill the places when the page is loaded: at once, and once more when sizes have come."""
        if not self._views:
            return
        blocks.load(self.tell, None, self._views, **EVENT)
        blocks.load(self.tell_sizes, None, self._views, **EVENT)

    def tell(self, request: gr.Request) -> Any:
        """Describe the models of each form with the sizes that are known, to those who may read
        it.
        """
        if not self._may_read(find_person(request)):
            return self._answer([gr.skip() for _ in self._forms])
        return self._answer([self._describe(form) for form in self._forms])

    async def tell_sizes(self, request: gr.Request) -> Any:
        """Describe them once more when the sizes are known that were not, or after some seconds."""
        unknown = self._list_unknown()
        if not unknown or not self._may_read(find_person(request)):
            return self._answer([gr.skip() for _ in self._forms])
        requested = [self._service.model_sizes.request(url) for url in unknown]
        waiting = [asyncio.wrap_future(one) for one in requested]
        await asyncio.wait(waiting, timeout=SIZES_SECONDS)
        return self._answer([self._describe(form) for form in self._forms])

    def _may_read(self, person: Person) -> bool:
        """Whether this is an operator or an author."""
        if self._operators is not None and self._operators.admit(person):
            return True
        return self._authors is not None and self._authors.admit(person)

    def _list_unknown(self) -> list[str]:
        """List the addresses of all models whose sizes are not known."""
        sizes = self._service.model_sizes
        urls: dict[str, None] = {}
        for form in self._forms:
            for model in form.lacking_models:
                if sizes.get(model.url) is None:
                    urls[model.url] = None
        return list(urls)

    def _describe(self, form: Form) -> Json:
        models = [self._describe_model(model) for model in form.lacking_models]
        commands = [model["command"] for model in models]
        return {"models": models, "commands": "\n".join(commands)}

    def _describe_model(self, model: ModelEntry) -> Json:
        size = self._service.model_sizes.get(model.url)
        return {
            "name": model.name,
            "folder": model.folder,
            "url": model.url,
            "size": "" if size is None else describe_size(size),
            "command": write_command(model),
        }

    def _answer(self, values: Sequence[Any]) -> Any:
        """Return the values of all places; Gradio takes that of a single one without a list."""
        if len(values) == 1:
            return values[0]
        return list(values)


def name_lacking_models(form: Form) -> list[str]:
    """Write a sentence about the lacking models of a form that none of its problems is about."""
    told = {_identify(problem.folder, str(problem.value)) for problem in form.problems}
    paths = []
    for model in form.lacking_models:
        # The folder is not known of every input.
        own_names = {_identify(model.root, model.name), _identify("", model.name)}
        if told.isdisjoint(own_names):
            # The path, because different folders may have files of one name.
            paths.append(model.path)
    if not paths:
        return []
    return [f"This ComfyUI does not have {', '.join(paths)}."]


def _identify(folder: str, name: str) -> tuple[str, str]:
    """Say which file this is: the folder that ComfyUI lists as one, and the name. It is the same
    file in whichever folder below that one.
    """
    return normalise_folder(folder), fold_file_name(name)

"""Every error that callers may see, as one tree. Where only one folder deals with a special case
of one, such as `forms.problem.BindError`, that is there.

    ComfyGradioError
    ├── SettingsError               a flag or an environment variable
    ├── ServerError                 talking to ComfyUI failed
    │   ├── ServerUnreachable       no answer: refused, unknown host, timed out, cut off
    │   ├── AccessDenied            401, 403, or a login page instead of JSON
    │   ├── UnexpectedResponse      an answer that ComfyUI would not give, HTML for instance
    │   ├── NotFound                404: this server has no such file, job or route
    │   ├── ResultTooLarge          a file is larger than what is fetched
    │   └── DownloadStopped         the result of a download is no longer wanted
    ├── PromptRejected              ComfyUI's /prompt refused the prompt; says for which inputs
    ├── JobError                    a prompt that was accepted did not end well
    │   ├── ExecutionFailed         a node raised
    │   ├── JobInterrupted          somebody stopped it
    │   └── JobLost                 neither queued nor in the history any more
    ├── WorkflowError               a file that is not an API-format workflow
    ├── MetadataError               a file that holds no settings
    ├── PresetError                 a preset file: says file, line and key
    ├── LayoutMissing               the author's layout of a job; says why it is not at hand
    ├── ValuesRefused               form values: says field, value and what is allowed
    ├── DefinitionError             the definition of a sweep: says file, line and key
    ├── AxisError                   an axis of a sweep: says field, value and what is allowed
    ├── LimitReached                somebody asks for more than whoever runs the app allows
    ├── NotAllowed                  somebody asks for what only others may do
    ├── ExternalError               asking a foreign address failed
    │   ├── ExternalRefused         it may not be asked, or gives what is not taken
    │   └── ExternalUnreachable     no answer, not in time, or none that can be used
    └── JobStoreError               the record of jobs cannot be read or written
        ├── JobStoreLocked          another comfygradio uses the same outputs folder
        └── JobStoreGone            the outputs folder was deleted or moved while the app ran

`Detach` is a signal and not an error: callers of a run raise it in there.

The text of each is one or more plain sentences for the person who has to act; it never holds a
traceback or a secret.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


class ComfyGradioError(Exception):
    """Base of all errors of this package; `str(error)` can be shown to people as it is."""


class SettingsError(ComfyGradioError):
    """A flag or an environment variable has a value that cannot be used."""


class ServerError(ComfyGradioError):
    """Talking to a ComfyUI server failed."""


class ServerUnreachable(ServerError):
    """The server gave no answer: refused, unknown host, timed out or cut off."""


class AccessDenied(ServerError):
    """The server, or a proxy before it, wants credentials that it did not get."""


class UnexpectedResponse(ServerError):
    """The server answered, but not what ComfyUI answers; `status` is the HTTP status."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class NotFound(ServerError):
    """The server has no such file, job or route (HTTP 404)."""


class ResultTooLarge(ServerError):
    """A file of a server is larger than what is fetched."""


class DownloadStopped(ServerError):
    """A download was stopped because its result is no longer wanted."""


@dataclass(frozen=True)
class NodeError:
    """One validation error of one input, as `/prompt` reports it."""

    node_id: str
    class_type: str
    type: str
    message: str
    details: str
    input_name: str | None = None


class PromptRejected(ComfyGradioError):
    """ComfyUI refused the prompt; `type` is its error type, `node_errors` name the inputs."""

    def __init__(self, message: str, type: str = "", node_errors: Sequence[NodeError] = ()) -> None:
        super().__init__(message)
        self.type = type
        self.node_errors = tuple(node_errors)


class JobError(ComfyGradioError):
    """A prompt that was accepted did not end well; `prompt_id` tells which one."""

    def __init__(self, message: str, prompt_id: str = "") -> None:
        super().__init__(message)
        self.prompt_id = prompt_id


class ExecutionFailed(JobError):
    """A node raised while it ran."""

    def __init__(
        self,
        message: str,
        prompt_id: str = "",
        node_id: str = "",
        node_type: str = "",
        exception_type: str = "",
    ) -> None:
        super().__init__(message, prompt_id)
        self.node_id = node_id
        self.node_type = node_type
        self.exception_type = exception_type


class JobInterrupted(JobError):
    """The job was stopped, by us or by somebody else on that server."""


class JobLost(JobError):
    """The server has the job neither in its queue nor in its history: restarted, or deleted by
    somebody.
    """


class Detach(ComfyGradioError):
    """Raised in a run to stop following its prompt without cancelling it."""


class WorkflowError(ComfyGradioError):
    """A file that is not an API-format workflow."""


class MetadataError(ComfyGradioError):
    """A file that holds no settings, or none that can be read; the message names the file."""


class PresetError(ComfyGradioError):
    """A preset file that cannot be used; the message names file, line and key."""


class LayoutMissing(ComfyGradioError):
    """The author's layout that a job was started with is not at hand; the message says why."""


class ValuesRefused(ComfyGradioError):
    """Form values that a form does not take; `problems` maps field name to what is allowed, without
    the name.
    """

    def __init__(self, problems: Mapping[str, str]) -> None:
        sentences = [f"{name}: {problem}" for name, problem in problems.items()]
        super().__init__(" ".join(sentences))
        self.problems = dict(problems)

    def __reduce__(self) -> tuple[type[ValuesRefused], tuple[dict[str, str]]]:
        """Errors travel between machines; pickle would make one of the text alone."""
        return type(self), (self.problems,)


class DefinitionError(ComfyGradioError):
    """The definition of a sweep cannot be used; the message names the key, and file and line where
    there is a file.
    """


class AxisError(ComfyGradioError):
    """An axis of a sweep that cannot be read; `problem` is the sentence without the place.

    `position` is the number of the value, `place` that of its first character, both counted from 1
    and 0 where there is none; `item` is what stands there.
    """

    def __init__(
        self, problem: str, field: str = "", position: int = 0, place: int = 0, item: str = ""
    ) -> None:
        value = ""
        if position:
            value = f"value {position}"
            if place:
                value += f" at character {place}"
            if item:
                value += f" ({item})"
        parts = [part for part in (field, value) if part]
        message = problem
        if parts:
            where = ", ".join(parts)
            message = f"{where}: {problem}"
        super().__init__(message)
        self.problem = problem
        self.field = field
        self.position = position
        self.place = place
        self.item = item


class LimitReached(ComfyGradioError):
    """Somebody asks for more than whoever runs the app allows; the message says when
    to ask again.
    """


class NotAllowed(ComfyGradioError):
    """Somebody asks for what only others may do here; the message says who may."""


class ExternalError(ComfyGradioError):
    """A request to an external address, named by a person or an untrusted file, failed."""


class ExternalRefused(ExternalError):
    """The address may not be asked, or what it gives is not taken."""


class ExternalUnreachable(ExternalError):
    """The address gave no answer, not in time, or none that can be used."""


class JobStoreError(ComfyGradioError):
    """The record of jobs, or a file that is kept for one, cannot be read or written; the message
    names it.
    """


class JobStoreLocked(JobStoreError):
    """Another comfygradio uses the same outputs folder."""


class JobStoreGone(JobStoreError):
    """The outputs folder was deleted or moved while the app ran: what is written reaches nobody."""

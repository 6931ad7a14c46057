"""Checks a posted prompt as ComfyUI v0.33.0 does: whole prompt, then each output and
what feeds it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from comfygradio.demo.checks import (
    Error,
    check_choice,
    check_limits,
    conversion_error,
    convert_value,
    custom_error,
    cycle_errors,
    describe_error,
    inner_error,
    mismatch_error,
    missing_input,
    no_link_error,
    outer_error,
    types_match,
    unwrap_value,
)
from comfygradio.demo.execution.cache import is_link
from comfygradio.demo.execution.catalog import Catalog, Schema, input_specs
from comfygradio.demo.execution.folders import Folders, OutsideFolder
from comfygradio.demo.execution.inputs import expand_inputs, self_checked
from comfygradio.demo.execution.options import DemoOptions

Prompt = dict[str, Any]


@dataclass(frozen=True)
class ValidationResult:
    """What /prompt answers: `error` is None if at least one output may run."""

    error: Error | None
    outputs: list[str]
    node_errors: dict[str, Any]


@dataclass(frozen=True)
class NodeValidation:
    """Whether a node and all that feeds it may run, and the errors of the node itself."""

    valid: bool
    errors: list[Error]


class Validator:
    """Checks prompts against the catalog; converts values in place, as ComfyUI does."""

    def __init__(self, catalog: Catalog, folders: Folders, options: DemoOptions) -> None:
        self._catalog = catalog
        self._folders = folders
        self._options = options

    def check(self, prompt: Prompt, targets: list[str] | None) -> ValidationResult:
        """`targets` limits the outputs that count; None means all."""
        schemas: dict[str, Schema] = {}
        outputs = []
        for node_id, node in prompt.items():
            error = self._check_class(node_id, node, schemas)
            if error is not None:
                return ValidationResult(error, [], {})
            is_output = schemas[node["class_type"]].get("output_node")
            if is_output and (targets is None or node_id in targets):
                outputs.append(node_id)
        if not outputs:
            error = describe_error("prompt_no_outputs", "Prompt has no outputs", "")
            return ValidationResult(error, [], {})
        prompt_check = _PromptCheck(prompt, schemas, self._folders, self._options)
        return check_outputs(prompt_check, outputs)

    def _check_class(self, node_id: str, node: Any, schemas: dict[str, Schema]) -> Error | None:
        name = self._find_class(node)
        schema: Schema | None = None
        if isinstance(name, str):
            schema = self._catalog.schema(name)
        if schema is not None:
            schemas[name] = schema
            return None
        if not self._options.can("unknown_class_is_400"):
            raise KeyError(name)
        return self._unknown_class(node_id, node, name)

    def _find_class(self, node: Any) -> Any:
        """What stands where the name of a class should, None if nothing does."""
        if isinstance(node, dict):
            return node.get("class_type")
        if self._options.can("missing_node_type"):
            raise TypeError("a node must be an object")
        return None

    def _unknown_class(self, node_id: str, node: Any, name: Any) -> Error:
        details = f"Node ID '#{node_id}'"
        if not self._options.can("missing_node_type"):
            message = f"Cannot execute because node {name} does not exist."
            if name is None:
                message = "Cannot execute because a node is missing the class_type property."
            return describe_error("invalid_prompt", message, details)
        title = node.get("_meta", {}).get("title", name)
        message = f"Node '{title}' not found. The custom node may not be installed."
        if name is None:
            shown = title or f"ID #{node_id}"
            message = (
                f"Node '{shown}' has no class_type. The workflow may be corrupted or a custom "
                "node is missing."
            )
        extra = {"node_id": node_id, "class_type": name, "node_title": title}
        return describe_error("missing_node_type", message, details, extra)


def check_outputs(prompt_check: _PromptCheck, outputs: list[str]) -> ValidationResult:
    """Checks output by output; a bad one is listed with every error found so far, as in ComfyUI."""
    good: list[str] = []
    node_errors: dict[str, Any] = {}
    details: list[str] = []
    for output in outputs:
        if prompt_check.check_output(output):
            good.append(output)
            continue
        for error in prompt_check.results[output].errors:
            details.append(f"{error['message']}: {error['details']}")
        for node_id, errors in prompt_check.errors():
            if node_id not in node_errors:
                node_errors[node_id] = {
                    "errors": errors,
                    "dependent_outputs": [],
                    "class_type": prompt_check.class_of(node_id),
                }
            node_errors[node_id]["dependent_outputs"].append(output)
    if good:
        return ValidationResult(None, good, node_errors)
    error = describe_error(
        "prompt_outputs_failed_validation",
        "Prompt outputs failed validation",
        "\n".join(details),
    )
    return ValidationResult(error, [], node_errors)


class _PromptCheck:
    """One prompt followed upstream from its outputs; every node is visited once."""

    def __init__(
        self, prompt: Prompt, schemas: dict[str, Schema], folders: Folders, options: DemoOptions
    ) -> None:
        self.results: dict[str, NodeValidation] = {}
        self._prompt = prompt
        self._schemas = schemas
        self._folders = folders
        self._options = options
        self._path: list[str] = []

    def class_of(self, node_id: str) -> str:
        node = self._prompt[node_id]
        return str(node["class_type"])

    def errors(self) -> Iterator[tuple[str, list[Error]]]:
        """The nodes that have errors of their own."""
        for node_id, result in self.results.items():
            if not result.valid and result.errors:
                yield node_id, result.errors

    def check_output(self, node_id: str) -> bool:
        try:
            return self._check_node(node_id)
        except Exception as error:
            shown = outer_error(error)
            self.results[node_id] = NodeValidation(False, [shown])
            return False

    def _check_node(self, node_id: str) -> bool:
        if node_id in self.results:
            return self.results[node_id].valid
        if node_id in self._path:
            self._report_cycle(node_id)
            return False
        found: list[Error] = []
        is_fed = True
        for name, spec, required in self._specs(node_id):
            if not self._check_input(node_id, name, spec, required, found):
                is_fed = False
        found += self._check_files(node_id)
        # There is one already where a cycle through this node was found meanwhile.
        earlier = self.results.get(node_id, NodeValidation(True, []))
        new = [error for error in found if error not in earlier.errors]
        errors = [*earlier.errors, *new]
        is_valid = earlier.valid and is_fed and not errors
        self.results[node_id] = NodeValidation(is_valid, errors)
        return is_valid

    def _specs(self, node_id: str) -> list[tuple[str, list[Any], bool]]:
        inputs = self._prompt[node_id]["inputs"]
        schema = self._schemas[self.class_of(node_id)]
        return list(expand_inputs(schema, inputs))

    def _report_cycle(self, node_id: str) -> None:
        if not self._options.can("dependency_cycle"):
            return
        start = self._path.index(node_id)
        members = self._path[start:]
        names: list[str] = []
        for member in [*members, node_id]:
            names.append(f"{member} ({self.class_of(member)})")
        shown = " -> ".join(names)
        for member, errors in cycle_errors(members, shown).items():
            self.results[member] = NodeValidation(False, errors)

    def _check_input(
        self, node_id: str, name: str, spec: list[Any], required: bool, errors: list[Error]
    ) -> bool:
        """Adds the errors of this input; False if what it is linked to is not valid."""
        inputs = self._prompt[node_id]["inputs"]
        if name not in inputs:
            if required:
                shown = self._short_name(node_id, name)
                errors.append(missing_input(name, shown))
            return True
        value = inputs[name]
        if not isinstance(value, list):
            errors += self._check_value(node_id, name, spec)
            return True
        error = self._check_link(name, spec, value)
        if error is not None:
            errors.append(error)
            return True
        return self._follow_link(node_id, name, spec, value)

    def _short_name(self, node_id: str, name: str) -> str:
        """The last part of a name that a dynamic input has brought; others may contain dots of
        their own.
        """
        schema = self._schemas[self.class_of(node_id)]
        declared = {name for _, name, _ in input_specs(schema)}
        if name in declared:
            return name
        return name.rpartition(".")[2]

    def _check_link(self, name: str, spec: list[Any], link: list[Any]) -> Error | None:
        if len(link) != 2:
            return no_link_error(name, spec, link)
        node_id, slot = link
        source = self._schemas[self.class_of(node_id)]
        outputs = source.get("output") or []
        # A slot that is no number is refused in the words of a list, or of a tuple.
        if "api_node" not in source:
            outputs = tuple(outputs)
        # An unknown slot raises IndexError here, and ComfyUI reports the exception.
        received = outputs[slot]
        if types_match(received, spec[0]):
            return None
        return mismatch_error(name, spec, received, link)

    def _follow_link(self, node_id: str, name: str, spec: list[Any], link: list[Any]) -> bool:
        source, _ = link
        self._path.append(node_id)
        try:
            return self._check_node(source)
        except Exception as error:
            shown = inner_error(name, spec, error, link)
            self.results[source] = NodeValidation(False, [shown])
            return False
        finally:
            self._path.pop()

    def _check_value(self, node_id: str, name: str, spec: list[Any]) -> list[Error]:
        inputs = self._prompt[node_id]["inputs"]
        inputs[name] = unwrap_value(inputs[name])
        try:
            inputs[name] = convert_value(spec[0], inputs[name])
        except Exception as error:
            return [conversion_error(name, spec, inputs[name], error)]
        if self_checked(self.class_of(node_id), name, spec) is not None:
            return []
        value = inputs[name]
        found = check_limits(name, spec, value)
        if found is None:
            found = self._check_choice(name, spec, value)
        return [] if found is None else [found]

    def _check_choice(self, name: str, spec: list[Any], value: Any) -> Error | None:
        old = not self._options.can("v3_schemas")
        if old and spec[0] == "COMBO":
            return None  # v0.3.64 checks only lists of the older form
        return check_choice(name, spec, value, quoted=old)

    def _check_files(self, node_id: str) -> list[Error]:
        """Errors of inputs that name a file which is not there; raises what ComfyUI's own checks
        raise.
        """
        inputs = self._prompt[node_id]["inputs"]
        class_type = self.class_of(node_id)
        errors: list[Error] = []
        for name, spec, required in self._specs(node_id):
            kind = self_checked(class_type, name, spec)
            if not kind:
                continue
            if name not in inputs:
                if required:
                    raise TypeError(missing_argument(class_type, name, kind))
                continue
            value = inputs[name]
            if not self._is_file(kind, value):
                errors.append(custom_error(name, f"Invalid {kind} file: {value}"))
        return errors

    def _is_file(self, kind: str, value: Any) -> bool:
        if kind == "3D model" and value in ("", "none"):
            return True
        if not isinstance(value, str):
            # A link has no value yet.
            given = None if is_link(value) else value
            shown = type(given).__name__
            raise AttributeError(f"'{shown}' object has no attribute 'endswith'")
        try:
            return self._folders.annotated(value).exists()
        except OutsideFolder:
            return False


def missing_argument(class_type: str, name: str, kind: str) -> str:
    """What Python says when a class checks an input that is not there; all loaders of images share
    one check.
    """
    method = {"image": "LoadImage.VALIDATE_INPUTS", "latent": "LoadLatent.VALIDATE_INPUTS"}
    called = method.get(kind, f"{class_type}.validate_inputs")
    return f"{called}() missing 1 required positional argument: '{name}'"

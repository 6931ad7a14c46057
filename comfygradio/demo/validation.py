"""Checks a posted prompt as ComfyUI v0.33.0 does, with its error types, messages and shapes."""

from __future__ import annotations

import traceback
from dataclasses import dataclass, field
from typing import Any

from comfygradio.demo.catalog import Catalog, Schema, combo_options
from comfygradio.demo.folders import Folders, OutsideFolder
from comfygradio.demo.inputs import CUSTOM_CHECKED, expand_inputs
from comfygradio.demo.options import DemoOptions

Prompt = dict[str, Any]
LONG_LIST = 20
CONVERTERS: dict[str, type[Any]] = {"INT": int, "FLOAT": float, "STRING": str, "BOOLEAN": bool}


@dataclass(frozen=True)
class Verdict:
    """What /prompt answers: `error` is None if at least one output may run."""

    error: dict[str, Any] | None
    outputs: list[str]
    node_errors: dict[str, Any]


@dataclass
class Report:
    """Errors found per node while one output is followed upstream; `valid` per visited node."""

    valid: dict[str, bool] = field(default_factory=dict)
    errors: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    path: list[str] = field(default_factory=list)

    def add(self, node_id: str, error: dict[str, Any]) -> None:
        self.errors.setdefault(node_id, []).append(error)


def describe_error(kind: str, message: str, details: str, extra: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"type": kind, "message": message, "details": details, "extra_info": extra or {}}


class CycleFound(Exception):
    """A link leads back to a node that is being checked."""


class Validator:
    """Checks prompts against the catalog; converts values in place, as ComfyUI does."""

    def __init__(self, catalog: Catalog, folders: Folders, options: DemoOptions) -> None:
        self._catalog = catalog
        self._folders = folders
        self._options = options
        self._schemas: dict[str, Schema] = {}

    def check(self, prompt: Prompt, targets: list[str] | None) -> Verdict:
        """`targets` limits the outputs that count; None means all."""
        self._schemas = {}
        outputs = []
        for node_id, node in prompt.items():
            if (error := self._check_class(node_id, node)) is not None:
                return Verdict(error, [], {})
            if self._schema(node["class_type"])["output_node"] and (targets is None or node_id in targets):
                outputs.append(node_id)
        if not outputs:
            return Verdict(describe_error("prompt_no_outputs", "Prompt has no outputs", ""), [], {})
        return self._check_outputs(prompt, outputs)

    def _check_class(self, node_id: str, node: Any) -> dict[str, Any] | None:
        if not isinstance(node, dict) and self._options.can("missing_node_type"):
            raise TypeError("a node must be an object")
        name = node.get("class_type") if isinstance(node, dict) else None
        schema = self._catalog.schema(name) if isinstance(name, str) else None
        if schema is not None and name is not None:
            self._schemas[name] = schema
            return None
        if not self._options.can("unknown_class_is_400"):
            raise KeyError(name)
        return self._unknown_class(node_id, node, name)

    def _unknown_class(self, node_id: str, node: Any, name: Any) -> dict[str, Any]:
        details = f"Node ID '#{node_id}'"
        if not self._options.can("missing_node_type"):
            message = f"Cannot execute because node {name} does not exist."
            if name is None:
                message = "Cannot execute because a node is missing the class_type property."
            return describe_error("invalid_prompt", message, details)
        title = node.get("_meta", {}).get("title", name or "Unknown")
        message = f"Node '{title}' not found. The custom node may not be installed."
        if name is None:
            message = f"Node '{title}' has no class_type. The workflow may be corrupted or a custom node is missing."
        extra = {"node_id": node_id, "class_type": name, "node_title": title}
        return describe_error("missing_node_type", message, details, extra)

    def _schema(self, class_type: str) -> Schema:
        return self._schemas[class_type]

    def _check_outputs(self, prompt: Prompt, outputs: list[str]) -> Verdict:
        good: list[str] = []
        node_errors: dict[str, Any] = {}
        details: list[str] = []
        for output in outputs:
            report = Report()
            if self._follow(prompt, output, report):
                good.append(output)
                continue
            details += describe_output_errors(report.errors.get(output, []))
            collect_node_errors(node_errors, report, prompt, output)
        if good:
            return Verdict(None, good, node_errors)
        message = "Prompt outputs failed validation"
        error = describe_error("prompt_outputs_failed_validation", message, "\n".join(details))
        return Verdict(error, [], node_errors)

    def _follow(self, prompt: Prompt, output: str, report: Report) -> bool:
        try:
            return self._check_node(prompt, output, report)
        except CycleFound:
            return False
        except Exception as error:
            extra = {
                "exception_type": type(error).__name__,
                "traceback": traceback.format_tb(error.__traceback__),
            }
            message = "Exception when validating node"
            report.add(output, describe_error("exception_during_validation", message, str(error), extra))
            return False

    def _check_node(self, prompt: Prompt, node_id: str, report: Report) -> bool:
        if node_id in report.valid:
            return report.valid[node_id]
        if node_id in report.path:
            self._report_cycle(prompt, node_id, report)
        report.path.append(node_id)
        inputs = prompt[node_id]["inputs"]
        valid = True
        for name, spec, required in expand_inputs(self._schema(prompt[node_id]["class_type"]), inputs):
            if not self._check_input(prompt, node_id, name, spec, required, report):
                valid = False
        report.path.pop()
        report.valid[node_id] = valid
        return valid

    def _report_cycle(self, prompt: Prompt, node_id: str, report: Report) -> None:
        members = report.path[report.path.index(node_id) :]
        shown = " -> ".join(f"{m} ({prompt[m]['class_type']})" for m in [*members, node_id])
        for member in members if self._options.can("dependency_cycle") else []:
            extra = {"node_id": member, "cycle_nodes": members}
            report.add(member, describe_error("dependency_cycle", "Dependency cycle detected", shown, extra))
        raise CycleFound

    def _check_input(
        self, prompt: Prompt, node_id: str, name: str, spec: list[Any], required: bool, report: Report
    ) -> bool:
        inputs = prompt[node_id]["inputs"]
        if name not in inputs:
            if required:
                report.add(node_id, missing_input(name))
            return not required
        if isinstance(inputs[name], list):
            return self._check_link(prompt, node_id, name, spec, report)
        error = self._check_value(prompt[node_id]["class_type"], inputs, name, spec)
        if error is not None:
            report.add(node_id, error)
        return error is None

    def _check_link(self, prompt: Prompt, node_id: str, name: str, spec: list[Any], report: Report) -> bool:
        link = prompt[node_id]["inputs"][name]
        if len(link) != 2:
            extra = {"input_name": name, "input_config": spec, "received_value": link}
            message = "Bad linked input, must be a length-2 list of [node_id, slot_index]"
            report.add(node_id, describe_error("bad_linked_input", message, f"{name}", extra))
            return False
        source = link[0]
        received = self._schema(prompt[source]["class_type"])["output"]
        received_type = tuple(received)[link[1]]
        if not types_match(received_type, accepted_types(spec)):
            report.add(node_id, mismatch_error(name, spec, received_type, link))
            return False
        depth = len(report.path)
        try:
            return self._check_node(prompt, source, report)
        except CycleFound:
            raise
        except Exception as error:
            del report.path[depth:]
            report.add(source, inner_error(name, spec, error, link))
            report.valid[source] = False
            return False

    def _check_value(
        self, class_type: str, inputs: dict[str, Any], name: str, spec: list[Any]
    ) -> dict[str, Any] | None:
        if name in CUSTOM_CHECKED.get(class_type, ()):
            return self._check_image(name, inputs[name])
        try:
            inputs[name] = convert_value(spec[0], inputs[name])
        except Exception as error:
            return conversion_error(name, spec, inputs[name], error)
        return check_limits(name, spec, inputs[name]) or check_choice(name, spec, inputs[name])

    def _check_image(self, name: str, value: Any) -> dict[str, Any] | None:
        try:
            if self._folders.annotated(str(value)).is_file():
                return None
        except OutsideFolder:
            pass
        details = f"{name} - Invalid image file: {value}"
        message = "Custom validation failed for node"
        return describe_error("custom_validation_failed", message, details, {"input_name": name})


def convert_value(kind: Any, value: Any) -> Any:
    """INT, FLOAT, STRING and BOOLEAN as Python converts them ("2" and 2.7 become 2)."""
    if isinstance(value, dict) and "__value__" in value:
        return value["__value__"]
    converter = CONVERTERS.get(kind) if isinstance(kind, str) else None
    return value if converter is None else converter(value)


def accepted_types(spec: list[Any]) -> str:
    kind = spec[0]
    if kind == "COMFY_MATCHTYPE_V3":
        return str(spec[1]["template"]["allowed_types"])
    return "COMBO" if isinstance(kind, list) else str(kind)


def types_match(received: str, accepted: str) -> bool:
    if "*" in (received, accepted) or received == "COMFY_MATCHTYPE_V3":
        return True
    return bool(set(received.split(",")) & set(accepted.split(",")))


def check_limits(name: str, spec: list[Any], value: Any) -> dict[str, Any] | None:
    limits = spec[1] if len(spec) > 1 else {}
    extra = {"input_name": name, "input_config": spec, "received_value": value}
    if "min" in limits and value < limits["min"]:
        message = f"Value {value} smaller than min of {limits['min']}"
        return describe_error("value_smaller_than_min", message, name, extra)
    if "max" in limits and value > limits["max"]:
        message = f"Value {value} bigger than max of {limits['max']}"
        return describe_error("value_bigger_than_max", message, name, extra)
    return None


def check_choice(name: str, spec: list[Any], value: Any) -> dict[str, Any] | None:
    options = combo_options(spec)
    if options is None or value in options:
        return None
    long = len(options) > LONG_LIST
    shown = f"(list of length {len(options)})" if long else str(options)
    extra = {"input_name": name, "input_config": None if long else spec, "received_value": value}
    return describe_error("value_not_in_list", "Value not in list", f"{name}: '{value}' not in {shown}", extra)


def missing_input(name: str) -> dict[str, Any]:
    last = name.rpartition(".")[2]
    return describe_error("required_input_missing", "Required input is missing", last, {"input_name": name})


def mismatch_error(name: str, spec: list[Any], received: str, link: list[Any]) -> dict[str, Any]:
    details = f"{name}, received_type({received}) mismatch input_type({accepted_types(spec)})"
    extra = {"input_name": name, "input_config": spec, "received_type": received, "linked_node": link}
    return describe_error("return_type_mismatch", "Return type mismatch between linked nodes", details, extra)


def inner_error(name: str, spec: list[Any], error: Exception, link: list[Any]) -> dict[str, Any]:
    extra = {
        "input_name": name,
        "input_config": spec,
        "exception_message": str(error),
        "exception_type": type(error).__name__,
        "traceback": traceback.format_tb(error.__traceback__),
        "linked_node": link,
    }
    message = "Exception when validating inner node"
    return describe_error("exception_during_inner_validation", message, str(error), extra)


def conversion_error(name: str, spec: list[Any], value: Any, error: Exception) -> dict[str, Any]:
    extra = {
        "input_name": name,
        "input_config": spec,
        "received_value": value,
        "exception_message": str(error),
    }
    message = f"Failed to convert an input value to a {spec[0]} value"
    return describe_error("invalid_input_type", message, f"{name}, {value}, {error}", extra)


def describe_output_errors(errors: list[dict[str, Any]]) -> list[str]:
    return [f"{error['message']}: {error['details']}" for error in errors]


def collect_node_errors(node_errors: dict[str, Any], report: Report, prompt: Prompt, output: str) -> None:
    for node_id, errors in report.errors.items():
        blank = {"errors": errors, "dependent_outputs": [], "class_type": prompt[node_id]["class_type"]}
        node_errors.setdefault(node_id, blank)["dependent_outputs"].append(output)

"""Checks single values and links against the spec of their input, with ComfyUI's error types and
messages.
"""

from __future__ import annotations

import traceback
from typing import Any

from comfygradio.demo.execution.catalog import combo_options

Error = dict[str, Any]

LONG_LIST = 20
MATCH_TYPE = "COMFY_MATCHTYPE_V3"
CONVERTERS: dict[str, type[Any]] = {"INT": int, "FLOAT": float, "STRING": str, "BOOLEAN": bool}


def describe_error(
    kind: str, message: str, details: str, extra: dict[str, Any] | None = None
) -> Error:
    """An error as ComfyUI sends it."""
    return {
        "type": kind,
        "message": message,
        "details": details,
        "extra_info": extra or {},
    }


def unwrap_value(value: Any) -> Any:
    """What stands in `{"__value__": ...}`, the way to send a list that is no link."""
    if isinstance(value, dict) and "__value__" in value:
        return value["__value__"]
    return value


def convert_value(kind: Any, value: Any) -> Any:
    """INT, FLOAT, STRING and BOOLEAN as Python converts them ("2" and 2.7 become 2)."""
    if not isinstance(kind, str) or kind not in CONVERTERS:
        return value
    converter = CONVERTERS[kind]
    return converter(value)


def types_match(received: Any, accepted: Any) -> bool:
    """Whether a link of that type may end there; unions share one type, the types of MatchType are
    not checked.
    """
    if received == accepted or MATCH_TYPE in (received, accepted):
        return True
    # The output is a combo of the V1 form, whose type is its list.
    if isinstance(received, list):
        return accepted in ("*", "COMBO")
    received_types = split_types(received)
    accepted_types: set[str] = set()
    if isinstance(accepted, str):
        accepted_types = split_types(accepted)
    if "*" in received_types or "*" in accepted_types:
        return True
    return not received_types.isdisjoint(accepted_types)


def split_types(union: str) -> set[str]:
    """The types of a union such as `INT,FLOAT`."""
    parts = union.split(",")
    return {part.strip() for part in parts}


def check_limits(name: str, spec: list[Any], value: Any) -> Error | None:
    limits = spec[1]
    extra = {"input_name": name, "input_config": spec, "received_value": value}
    if "min" in limits and value < limits["min"]:
        message = f"Value {value} smaller than min of {limits['min']}"
        return describe_error("value_smaller_than_min", message, name, extra)
    if "max" in limits and value > limits["max"]:
        message = f"Value {value} bigger than max of {limits['max']}"
        return describe_error("value_bigger_than_max", message, name, extra)
    return None


def check_choice(name: str, spec: list[Any], value: Any, quoted: bool = False) -> Error | None:
    """Whether the value, or with `multiselect` each item of it, is in the list; `quoted` as servers
    of 2025 show it.
    """
    options = combo_options(spec)
    if options is None:
        return None
    items = [value]
    if isinstance(value, list) and spec[1].get("multiselect", False):
        items = value
    wrong = [item for item in items if item not in options]
    if not wrong:
        return None
    blamed = f"'{value}'"
    if not quoted:
        blamed = ", ".join(repr(item) for item in wrong)
    shown = str(options)
    config: list[Any] | None = spec
    if len(options) > LONG_LIST:
        shown = f"(list of length {len(options)})"
        config = None
    details = f"{name}: {blamed} not in {shown}"
    extra = {"input_name": name, "input_config": config, "received_value": value}
    return describe_error("value_not_in_list", "Value not in list", details, extra)


def missing_input(name: str, shown: str) -> Error:
    message = "Required input is missing"
    return describe_error("required_input_missing", message, shown, {"input_name": name})


def no_link_error(name: str, spec: list[Any], link: list[Any]) -> Error:
    extra = {"input_name": name, "input_config": spec, "received_value": link}
    message = "Bad linked input, must be a length-2 list of [node_id, slot_index]"
    return describe_error("bad_linked_input", message, name, extra)


def mismatch_error(name: str, spec: list[Any], received: Any, link: list[Any]) -> Error:
    message = "Return type mismatch between linked nodes"
    details = f"{name}, received_type({received}) mismatch input_type({spec[0]})"
    extra = {
        "input_name": name,
        "input_config": spec,
        "received_type": received,
        "linked_node": link,
    }
    return describe_error("return_type_mismatch", message, details, extra)


def conversion_error(name: str, spec: list[Any], value: Any, error: Exception) -> Error:
    message = f"Failed to convert an input value to a {spec[0]} value"
    details = f"{name}, {value}, {error}"
    extra = {
        "input_name": name,
        "input_config": spec,
        "received_value": value,
        "exception_message": str(error),
    }
    return describe_error("invalid_input_type", message, details, extra)


def custom_error(name: str, text: str) -> Error:
    message = "Custom validation failed for node"
    details = f"{name} - {text}"
    return describe_error("custom_validation_failed", message, details, {"input_name": name})


def cycle_errors(members: list[str], shown: str) -> dict[str, list[Error]]:
    """One error for each node of a cycle."""
    message = "Dependency cycle detected"
    errors: dict[str, list[Error]] = {}
    for node_id in members:
        extra = {"node_id": node_id, "cycle_nodes": members}
        error = describe_error("dependency_cycle", message, shown, extra)
        errors[node_id] = [error]
    return errors


def inner_error(name: str, spec: list[Any], error: Exception, link: list[Any]) -> Error:
    """An exception while the node at the other end of a link was checked."""
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


def outer_error(error: Exception) -> Error:
    """An exception while an output node was checked."""
    message = "Exception when validating node"
    extra = {
        "exception_type": type(error).__name__,
        "traceback": traceback.format_tb(error.__traceback__),
    }
    return describe_error("exception_during_validation", message, str(error), extra)

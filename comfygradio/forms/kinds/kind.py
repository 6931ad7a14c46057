"""The base class of the kinds of field."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

from comfygradio.forms.kinds.axis_syntax import AxisSyntax

if TYPE_CHECKING:
    from collections.abc import Mapping

    from comfygradio.comfy.object_info import InputSpec, ObjectInfo
    from comfygradio.comfy.workflow import Upload
    from comfygradio.forms.field import Field
    from comfygradio.forms.plain_scalar import PlainScalar
    from comfygradio.forms.slots import Slot

MAX_SHORT_TEXT = 100
"""Characters of a number, a size, a color, a seed, or a switch."""


class Kind(AxisSyntax):
    """What is true of all fields with the same widget.

    A kind overrides what differs for it; nothing here depends on one field, except for the methods,
    which are given the field.
    """

    max_length: ClassVar[int] = MAX_SHORT_TEXT
    """Characters of one text in a value."""

    input_types: ClassVar[frozenset[str]] = frozenset()
    """Types of inputs that a value can fill; empty where choices or uploads decide instead."""

    keys: ClassVar[frozenset[str]] = frozenset()
    """Keys of a preset's entry that only some kinds use, and this one does."""

    names_resource: ClassVar[bool] = True
    """Whether a value can name a file or a node class, which some backends may lack."""

    is_text: ClassVar[bool] = False
    """Whether a value is free text."""

    is_number: ClassVar[bool] = False
    """Whether a value is a plain number; seeds, which may be left to chance, are not."""

    is_list: ClassVar[bool] = False
    """Whether a value is picked from a list of choices."""

    is_media: ClassVar[bool] = False
    """Whether a value is a file that is uploaded."""

    is_picture: ClassVar[bool] = False
    """Whether that file is a picture."""

    is_seed: ClassVar[bool] = False
    """Whether a value decides what is random, and may itself be left to chance."""

    is_lora_list: ClassVar[bool] = False
    """Whether a value is a list of LoRAs, which become nodes."""

    needs_slot: ClassVar[bool] = True
    """Whether a field fills an input, if not by what its choices set."""

    has_step_grid: ClassVar[bool] = False
    """Whether a value goes in the steps of its inputs."""

    takes_several: ClassVar[bool] = False
    """Whether several choices may be selected, if the inputs take several."""

    takes_embeddings: ClassVar[bool] = False
    """Whether a value may be a prompt, which can name embeddings."""

    parts: ClassVar[tuple[str, ...]] = ("",)
    """The parts of a value that fill inputs of their own, as a preset names them in `slots`; "" is
    the whole value.
    """

    noun: ClassVar[str] = "a value"
    """What people call a value, with its article."""

    @property
    def has_parts(self) -> bool:
        """Whether the parts of a value fill different inputs."""
        return self.parts != ("",)

    def can_fill(self, spec: InputSpec) -> bool:
        """Whether the server takes a value of this kind for an input."""
        if not self.input_types:
            return True
        return spec.choices is None and not self.input_types.isdisjoint(spec.types)

    def is_likely_for(self, spec: InputSpec, has_choices: bool) -> bool:
        """Whether another program that asked for this kind may have meant an input.

        `has_choices` tells if that program had choices of its own.
        """
        return not self.input_types.isdisjoint(spec.types)

    @abstractmethod
    def check(self, field: Field, value: Any) -> Any:
        """Convert a value to what the prompt needs. Raises InvalidValue, which says what is
        allowed.
        """

    def resolve_scalar(self, field: Field, scalar: PlainScalar) -> Any:
        """Resolve an unquoted value of a YAML file to a value that is yet to be checked, or to
        None.
        """
        if scalar.is_null and field.optional:
            return None
        return scalar.text

    def to_json(self, field: Field, value: Any) -> Any:
        """Convert a checked value, or None, to JSON that `check` accepts again."""
        if isinstance(value, tuple):
            return list(value)
        return value

    def is_empty(self, field: Field, value: Any) -> bool:
        """Whether an optional field was left empty."""
        if not field.optional:
            return False
        if isinstance(value, str):
            return not value.strip()
        # 0 and False are values like any other.
        return value is None or value in ([], (), {})

    def is_open(self, value: Any) -> bool:
        """Whether a value, not yet checked, is left to chance."""
        return False

    def find_near(self, field: Field, value: Any, keeps_zero: bool) -> Any:
        """Find the value within the field's limits that is nearest to a workflow's own one outside
        of them, or None. With `keeps_zero`, some nodes may take 0 for a value of their own.
        """
        return None

    def make_exempt(self, field: Field, value: Any) -> Any:
        """Convert a workflow's own value that a person could not enter to one that is exempt.

        Returns None if no prompt may contain it.
        """
        return None

    def find_exempt(self, field: Field, value: Any) -> Any:
        """Return the field's exempt value if that is what this value means, else None."""
        exempt = field.exempt_value
        if exempt is None or not self.means_exempt(exempt, value):
            return None
        return exempt

    def means_exempt(self, exempt: Any, value: Any) -> bool:
        """Whether a value is this exempt one, as people and programs write it."""
        if isinstance(exempt, int | float):
            # 20 may come back as 20.0 from a browser, or as a text from a file.
            return str(value).strip() in (str(exempt), f"{exempt}.0")
        if isinstance(value, tuple):
            value = list(value)
        if isinstance(exempt, tuple):
            exempt = list(exempt)
        # Python takes True for 1, a field does not.
        return type(value) is type(exempt) and bool(value == exempt)

    def list_inputs(self, field: Field, value: Any) -> list[tuple[Slot, Any]]:
        """List the inputs that a checked value fills, each with what it gets.

        Inputs that choices set are not listed. Raises InvalidValue for a number that a formula
        cannot use.
        """
        filled = [(slot, value) for slot in field.slots.get("", ())]
        for computed in field.computed:
            filled.append((computed.slot, computed.compute(value)))
        return filled

    def join_parts(self, values: Mapping[str, Any]) -> Any:
        """Join the values of inputs, by part, to one that is yet to be checked. The opposite of
        `list_inputs`.
        """
        return values[""]

    def check_inferred(self, value: Any) -> Any:
        """Return a value out of a foreign graph. Raises InvalidValue if it does not tell how the
        picture was made.
        """
        return value

    def check_stored(self, value: Any) -> Any:
        """Return a value that comfygradio stored with a picture. Raises InvalidValue if it does not
        tell how the picture was made.
        """
        return value

    def holds_list(self, field: Field) -> bool:
        """Whether a value of this field is a list of any length."""
        return False

    def can_be_off(self, field: Field) -> bool:
        """Whether a value can mean that nodes are bypassed."""
        return field.optional or self.holds_list(field)

    def get_off_value(self, field: Field) -> Any:
        """Return the JSON value that means that nodes are bypassed."""
        return [] if self.holds_list(field) else None

    def build_upload(self, field: Field, value: Any) -> Upload | None:
        """Build the upload of a checked value, or return None. The inputs get the file's name."""
        return None

    def change_graph(
        self, graph: dict[str, dict[str, Any]], field: Field, value: Any, object_info: ObjectInfo
    ) -> list[str]:
        """Add nodes for a checked value, None included, once all inputs are filled.

        Returns the ids of nodes that are to be bypassed.
        """
        return []

    def is_own_node(self, field: Field, node_id: str) -> bool:
        """Whether `change_graph` adds or fills the node with this id."""
        return False

    def salvage(self, value: Any) -> Any:
        """Return what is left of JSON that the field may refuse and that may come out of anybody's
        file: a scalar, or a list of scalars. Returns None if nothing is.
        """
        if isinstance(value, str | int | float):
            return value
        if isinstance(value, list | tuple):
            return [one for one in value if isinstance(one, str | int | float)]
        return None

    def describe(self, field: Field, value: Any) -> str:
        """Describe a value that is JSON to people."""
        if isinstance(value, bool):
            return "on" if value else "off"
        if value in (None, "", []):
            return self.describe_empty()
        if isinstance(value, list):
            return ", ".join(map(str, value))
        for choice in field.choices or ():
            if choice.value == value:
                return choice.label or str(value)
        return str(value)

    def describe_empty(self) -> str:
        """Describe the lack of a value to people."""
        return "empty"

    def find_python_type(self, field: Field) -> type:
        """Return the type of a parameter for this field, for schemas."""
        return str


def is_short(text: str) -> bool:
    """Whether a text may be a number, a size or a color at all."""
    return len(text) <= MAX_SHORT_TEXT

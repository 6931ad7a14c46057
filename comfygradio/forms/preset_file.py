"""Pydantic models of what a preset file may contain; `preset_yaml` loads the files."""

# Without `from __future__ import annotations`: pydantic evaluates what it makes texts of.

from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    GetCoreSchemaHandler,
    GetPydanticSchema,
    Tag,
    field_validator,
    model_validator,
)
from pydantic.json_schema import SkipJsonSchema
from pydantic_core import CoreSchema, core_schema

from comfygradio.forms.formula import Formula
from comfygradio.forms.kinds.kind import Kind
from comfygradio.forms.kinds.registry import KINDS, Widget
from comfygradio.forms.model_entry import ModelEntry
from comfygradio.forms.plain_scalar import (
    PlainScalar,
    coerce_boolean,
    coerce_number,
    coerce_text,
    null_to_none,
    reject_null,
)


def _make_plain_scalar_schema(source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
    """Take what is a `PlainScalar`. By itself, pydantic would check its fields as well, and build
    the validators for that at every mention.
    """
    as_json = core_schema.plain_serializer_function_ser_schema(
        PlainScalar.to_json, when_used="json"
    )
    return core_schema.is_instance_schema(PlainScalar, serialization=as_json)


Unquoted = SkipJsonSchema[Annotated[PlainScalar, GetPydanticSchema(_make_plain_scalar_schema)]]
"""In JSON and in the schema, this is a text, a number or a boolean."""

Scalar = Annotated[bool | int | float | str | Unquoted, Field(union_mode="left_to_right")]
"""A value of a field. A `PlainScalar` becomes a text, a number or a boolean once it is known what
the field accepts.
"""

Text = Annotated[str, BeforeValidator(coerce_text)]
OptionalText = Annotated[str | None, BeforeValidator(coerce_text)]
Number = Annotated[int | float, BeforeValidator(coerce_number)]
OptionalNumber = Annotated[int | float | None, BeforeValidator(coerce_number)]
Boolean = Annotated[bool, BeforeValidator(coerce_boolean)]
OptionalBoolean = Annotated[bool | None, BeforeValidator(coerce_boolean)]
Nullable = BeforeValidator(null_to_none)
NotNull = BeforeValidator(reject_null)

Part = Literal["width", "height", "model", "clip"]

PARTS: tuple[frozenset[Part], ...] = (
    frozenset({"width", "height"}),
    frozenset({"model"}),
    frozenset({"model", "clip"}),
)
"""The sets of parts that a field can have."""

# `strict` takes no text for a number, and `forbid` refuses a misspelled key.
STRICT = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class SlotEntry(BaseModel):
    """The long form of a slot address, which survives renumbering."""

    model_config = STRICT

    node: Annotated[str | int | None, BeforeValidator(coerce_text)] = Field(
        default=None, description="The node's id."
    )
    class_type: OptionalText = Field(default=None, alias="class", description="The node's class.")
    title: OptionalText = Field(default=None, description="The node's title.")
    input: Text = Field(description="The input's name; everything after the node, dots included.")


class ComputedSlot(BaseModel):
    """An input that is filled with a number worked out of the field's value."""

    model_config = STRICT

    slot: str | SlotEntry = Field(description="The input that it fills.")
    of: str = Field(
        description="Plain arithmetic over the field's number, which it calls value or by the "
        "field's name: steps * 0.5."
    )

    @field_validator("of")
    @classmethod
    def _check_formula(cls, text: str) -> str:
        Formula.parse(text)
        return text


class LoraEntry(BaseModel):
    """One row of a LoRA list."""

    model_config = STRICT

    name: Text = Field(description="The LoRA file, as the server spells it.")
    strength: Number = Field(
        default=1.0, description="How strongly it acts; 1 is its own strength."
    )


SlotAddress = str | SlotEntry
SlotAddresses = SlotAddress | Annotated[list[SlotAddress], Field(min_length=1)]


def _choose_slot_tag(value: Any) -> str:
    """Return the tag of the kind of slot that a YAML value is meant to be. Problems are described
    for that kind.
    """
    if isinstance(value, str | PlainScalar):
        return "plain"
    # pydantic asks for models too, when it serializes them.
    if isinstance(value, ComputedSlot):
        return "computed"
    if isinstance(value, dict) and ("of" in value or "slot" in value):
        return "computed"
    return "described"


FilledSlot = Annotated[
    Annotated[str, Tag("plain")]
    | Annotated[SlotEntry, Tag("described")]
    | Annotated[ComputedSlot, Tag("computed")],
    Discriminator(_choose_slot_tag),
]
FilledSlots = FilledSlot | Annotated[list[FilledSlot], Field(min_length=1)]
NodeRef = Annotated[str | int, BeforeValidator(coerce_text)]
SlotNodes = NodeRef | Annotated[list[NodeRef], Field(min_length=1)]
FieldName = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")]
Value = Scalar | list[Scalar] | list[LoraEntry]
Choices = list[Scalar] | dict[str, Scalar | dict[str, Scalar]] | str


class FieldEntry(BaseModel):
    """The entry of a field in a preset file."""

    model_config = STRICT

    slot: Annotated[FilledSlots | None, Nullable] = Field(
        default=None,
        description="The input that it fills (NODE.INPUT), or several; {slot: NODE.INPUT, of: "
        "value * 0.5} fills one with a number worked out of the value.",
    )
    slots: Annotated[dict[Part, SlotAddresses] | None, Nullable] = Field(
        default=None,
        description="Named parts: width and height of a size; model (and clip) of a LoRA list.",
    )
    label: OptionalText = Field(default=None, description="The name that people see.")
    help: OptionalText = Field(
        default=None, description="A line under it; else the server's tooltip."
    )
    placeholder: OptionalText = Field(default=None, description="Shown while a text is empty.")
    group: OptionalText = Field(default=None, description="The heading under which it stands.")
    advanced: Boolean = Field(default=False, description="Folded away under More settings.")
    widget: Annotated[Widget | None, Nullable] = Field(
        default=None, description="How it is drawn, if not as the server's spec suggests."
    )
    default: Annotated[Value | None, NotNull] = Field(
        default=None, description="What it starts with."
    )
    min: OptionalNumber = Field(
        default=None, description="Least value, within the server's limits."
    )
    max: OptionalNumber = Field(
        default=None, description="Largest value, within the server's limits."
    )
    step: Annotated[
        Annotated[int, Field(gt=0)] | Annotated[float, Field(gt=0)] | None,
        BeforeValidator(coerce_number),
    ] = Field(default=None, description="Distance between two values.")
    choices: Annotated[Choices | None, Nullable] = Field(
        default=None,
        description="A list; label: value pairs; label: {slot: value} to set several slots; or a "
        "pattern (sdxl/*) "
        "that filters the server's list.",
    )
    template: OptionalText = Field(
        default=None,
        description="The text that is filled in; {value} is this field's, {NAME} another field's.",
    )
    dynamic: OptionalBoolean = Field(
        default=None,
        description="True: one option of {a|b} is chosen at random for every sender; false: never; "
        "else only in what people write into the form, where ComfyUI's own page chooses one. "
        "False also leaves wildcards (__colours__) as they are.",
    )
    embeddings: OptionalBoolean = Field(
        default=None, description="Offers the server's embeddings as style words under a prompt."
    )
    show_if: Annotated[dict[FieldName, Scalar | list[Scalar]] | None, Nullable] = Field(
        default=None, description="Shown only while these fields have one of these values."
    )
    optional: Boolean = Field(default=False, description="May stay empty.")
    bypass: Annotated[SlotNodes | None, Nullable] = Field(
        default=None, description="Nodes that are bypassed while it is empty or off."
    )
    fixed: Annotated[Scalar | None, NotNull] = Field(
        default=None, description="A value that is set, never shown, never settable."
    )
    max_mb: Annotated[Annotated[float, Field(gt=0)] | None, BeforeValidator(coerce_number)] = Field(
        default=None, description="Largest upload in MB (50)."
    )

    @property
    def kind(self) -> Kind | None:
        """The kind of the widget that this line names, if it names one."""
        if self.widget is None:
            return None
        return KINDS[self.widget]

    @property
    def is_lora_list(self) -> bool:
        """Whether this line is a list of LoRAs, by its widget or by its slots."""
        if self.kind is not None and self.kind.is_lora_list:
            return True
        return self.slots is not None and "model" in self.slots

    @model_validator(mode="after")
    def _check_slots(self) -> "FieldEntry":
        settings: list[Any] = []
        if isinstance(self.choices, dict):
            settings = list(self.choices.values())
        setting_slots = [setting for setting in settings if isinstance(setting, dict)]
        # Choices are values of the field's own slots, or each of them sets slots by itself.
        sets_slots = bool(setting_slots)
        if sets_slots and len(setting_slots) < len(settings):
            raise ValueError("either all choices set slots or none does")
        if self.slot is not None and self.slots is not None:
            raise ValueError("needs either slot or slots, not both")
        fills_slots = self.slot is not None or self.slots is not None
        if not fills_slots and not sets_slots and not self.bypass:
            raise ValueError("needs either slot or slots")
        if fills_slots and sets_slots:
            raise ValueError("needs no slot where its choices set slots")
        if self.slots is not None and set(self.slots) not in PARTS:
            raise ValueError("needs both width and height in slots, or model (and clip) for LoRAs")
        if self.template is not None and self.slot is None:
            raise ValueError("needs a slot for its template")
        return self

    @model_validator(mode="after")
    def _check_computed(self) -> "FieldEntry":
        if self.slot is not None and not list_direct_slots(self):
            raise ValueError("needs a slot for the value itself, beside those worked out of it")
        return self

    @model_validator(mode="after")
    def _check_widget(self) -> "FieldEntry":
        if self.kind is None:
            return self
        parts = self.slots or {}
        if ("width" in parts) != ("width" in self.kind.parts):
            raise ValueError("a size, and nothing else, has slots for width and height")
        if "model" in parts and not self.kind.is_lora_list:
            raise ValueError(f"is a LoRA list, by its slots, and no {self.widget}")
        return self

    @model_validator(mode="after")
    def _check_fixed(self) -> "FieldEntry":
        if self.fixed is None:
            return self
        # Nobody sees a fixed field, and its value is always there.
        useless = ("show_if", "optional", "bypass", "default")
        unused = [key for key in useless if getattr(self, key)]
        if unused:
            raise ValueError(f"is fixed and never shown; remove {' and '.join(unused)}, or fixed")
        if self.dynamic is not None:
            raise ValueError(
                "is fixed and drawn where ComfyUI's own page does it; remove dynamic, or write "
                "\\{, \\| and \\} for the signs themselves"
            )
        if self.is_lora_list:
            raise ValueError(
                "is a LoRA list and cannot be fixed; put the loaders into the workflow"
            )
        return self


class PresetFile(BaseModel):
    """A comfygradio preset: a form over a workflow in API format."""

    model_config = STRICT

    title: Text = Field(min_length=1, description="What people see.")
    workflow: Text = Field(
        min_length=1, description="The workflow file in API format, beside this file or below it."
    )
    description: Text = Field(default="", description="One sentence under the title.")
    icon: Text = Field(default="", description="An emoji.")
    cover: Text = Field(
        default="",
        description="A picture beside this file or below it (PNG, JPEG or WebP), which the "
        "preset's card shows in place of the icon.",
    )
    group: Text = Field(default="", description="Presets of one group stand together.")
    order: OptionalNumber = Field(
        default=None,
        description="Presets are sorted by it, then by title; those without one come last.",
    )
    fields: dict[FieldName, FieldEntry] = Field(default={}, description="The form, line by line.")
    outputs: list[NodeRef] = Field(
        default=[], description="Nodes whose results are shown; every output node if empty."
    )
    examples: list[dict[str, Value]] = Field(
        default=[], description="Named value sets; a click fills the form."
    )
    sweep: dict[FieldName, Annotated[str | int | float, BeforeValidator(coerce_text)]] = Field(
        default={}, description="Suggested axes: field and axis text."
    )
    models: list[ModelEntry] = Field(
        default=[], description="Model files that the workflow needs, and where they are found."
    )
    extends: OptionalText = Field(
        default=None,
        description="A preset of the same folder, whose keys and fields are taken over where this "
        "file says nothing else.",
    )

    @field_validator("models")
    @classmethod
    def _check_models(cls, models: list[ModelEntry]) -> list[ModelEntry]:
        """Refuse two files at one place."""
        paths: set[str] = set()
        for model in models:
            if model.path in paths:
                raise ValueError(f"{model.path} stands twice in this list; remove one of them")
            paths.add(model.path)
        return models


def dump_lora_rows(value: Any) -> Any:
    """Convert the rows of a LoRA list to {"name", "strength"}, as forms check them. Returns any
    other value unchanged.
    """
    if not isinstance(value, list):
        return value
    rows: list[Any] = []
    for row in value:
        rows.append(row.model_dump() if isinstance(row, LoraEntry) else row)
    return rows


def list_direct_slots(entry: FieldEntry) -> list[SlotAddress]:
    """List the slots of an entry that get its value as it is."""
    slots: list[SlotAddress] = []
    for slot in _list_slots(entry):
        if isinstance(slot, str | SlotEntry):
            slots.append(slot)
    return slots


def list_computed_slots(entry: FieldEntry) -> list[ComputedSlot]:
    """List the slots of an entry that get a number computed from its value."""
    slots: list[ComputedSlot] = []
    for slot in _list_slots(entry):
        if isinstance(slot, ComputedSlot):
            slots.append(slot)
    return slots


def _list_slots(entry: FieldEntry) -> list[Any]:
    """List the addresses under the key `slot`."""
    if isinstance(entry.slot, list):
        return entry.slot
    return [entry.slot]


def list_addresses(entry: FieldEntry) -> list[SlotAddress]:
    """List every slot that an entry names, part by part."""
    if entry.slots is None:
        computed = [one.slot for one in list_computed_slots(entry)]
        return [*list_direct_slots(entry), *computed]
    addresses: list[SlotAddress] = []
    for part in entry.slots.values():
        if isinstance(part, list):
            addresses.extend(part)
        else:
            addresses.append(part)
    return addresses

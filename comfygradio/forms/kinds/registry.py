"""The kinds of field, by the widget that a preset names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from comfygradio.forms.kinds.checkbox import CHECKBOX
from comfygradio.forms.kinds.choice import DROPDOWN, RADIO
from comfygradio.forms.kinds.color import COLOR
from comfygradio.forms.kinds.kind import Kind
from comfygradio.forms.kinds.loras import LORAS
from comfygradio.forms.kinds.media import AUDIO, FILE, MASK, PICTURE, VIDEO
from comfygradio.forms.kinds.number import NUMBER
from comfygradio.forms.kinds.seed import SEED
from comfygradio.forms.kinds.size import SIZE
from comfygradio.forms.kinds.text import TEXT, TEXTAREA

Widget = Literal[
    "text",
    "textarea",
    "number",
    "slider",
    "dropdown",
    "radio",
    "checkbox",
    "seed",
    "size",
    "color",
    "image",
    "mask",
    "video",
    "audio",
    "file",
    "loras",
]

KINDS: Mapping[Widget, Kind] = {
    "text": TEXT,
    "textarea": TEXTAREA,
    "number": NUMBER,
    "slider": NUMBER,
    "dropdown": DROPDOWN,
    "radio": RADIO,
    "checkbox": CHECKBOX,
    "seed": SEED,
    "size": SIZE,
    "color": COLOR,
    "image": PICTURE,
    "mask": MASK,
    "video": VIDEO,
    "audio": AUDIO,
    "file": FILE,
    "loras": LORAS,
}

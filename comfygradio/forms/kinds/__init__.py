"""Kinds of field: one module per kind, with what is true of all fields of that kind.

The kinds are checkbox, choice, color, loras, media (with picture and mask), number, seed, size and
text. `kind` is their base class, `axis_syntax` the part of it that parses and formats the values of
axes, and `registry` maps the widgets of presets to them. The other modules help kinds:

- axes: axis_text, axis_values, number_range
- choices: choice_index, model_name
- files: file_pattern, picture
- LoRA lists: lora_loaders, lora_stack
- numbers: numerals
- all values: value
"""

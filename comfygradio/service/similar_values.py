"""The values for a job like another one: the same, but with new seeds."""

from __future__ import annotations

from typing import Any

from comfygradio.errors import ValuesRefused
from comfygradio.forms.form import Form
from comfygradio.jobs.job import Order


def collect_similar_values(form: Form, order: Order) -> dict[str, Any]:
    """Collect the values of an order by their fields, without seeds; a file is a Path.

    Fields that the form no longer has are left out. Raises ValuesRefused if a file is gone.
    """
    values: dict[str, Any] = {}
    for name, value in order.values.items():
        field = form.fields.get(name)
        if field is None or field.kind.is_media or name in form.seeds:
            continue
        values[name] = value
    for upload in order.prompt.uploads:
        field = form.find_media_field(upload.slots)
        if field is None:
            continue
        if not upload.path.is_file():
            raise ValuesRefused({field.name: "this file is no longer here; please add it again."})
        values[field.name] = upload.path
    return values

"""The markers of rivals: what a workflow's author already said to another front end
about the form.
"""

from comfygradio.importers.importer import import_annotations

__all__ = ["import_annotations"]

"""The markers of rivals: what a workflow's author already said to another front end
about the form.
"""

from comfygradio.forms.drafting.markers.rivals import read_markers

__all__ = ["read_markers"]

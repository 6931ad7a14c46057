"""Axes: texts become the values of a sweep."""

"""Kinds of field: one module per kind, with what is true of all fields of that kind."""

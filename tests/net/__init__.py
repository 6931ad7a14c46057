"""Asking foreign addresses."""

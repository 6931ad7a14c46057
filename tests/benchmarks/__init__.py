"""Measures what users feel. Run by hand: figures depend on the machine, so no test asserts them."""

"""Asking foreign addresses: those that a visitor or a stranger's file names, not whoever runs the
app.
"""

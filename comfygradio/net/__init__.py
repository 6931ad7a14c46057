"""Sends requests to foreign addresses: those that a visitor or a stranger's file names."""

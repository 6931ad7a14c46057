"""Importers: read what a workflow's author declared about its form for another front end."""

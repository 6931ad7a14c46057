"""The author's page."""

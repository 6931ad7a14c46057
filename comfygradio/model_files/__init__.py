"""The model files that presets name: which of them a server has, and how to get the others."""

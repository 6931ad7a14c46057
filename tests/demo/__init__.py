"""The demo server against recordings of a real ComfyUI, and what only it can do."""

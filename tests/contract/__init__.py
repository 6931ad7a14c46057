"""What every ComfyUI does: run against the demo server, and against a real one named by
COMFYUI_URL.
"""

"""comfygradio: stored ComfyUI workflows as simple web forms."""

"""Runs prompts as ComfyUI does: queue, history, cache, events, and what a node gets and may do."""

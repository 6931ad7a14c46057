"""Pictures, sounds and videos of the demo server: drawn, scaled, read and written."""

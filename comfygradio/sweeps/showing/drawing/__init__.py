"""Drawing: letters, pictures, measures and cells of contact sheets."""

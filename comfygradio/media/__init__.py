"""Pictures of people and of foreign servers: the one place where they are opened."""

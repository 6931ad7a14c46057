"""Opens pictures of people and foreign servers. No other package opens them."""

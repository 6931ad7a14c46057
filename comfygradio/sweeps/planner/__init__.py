"""Planner: the cheapest order of a sweep's points, and what it costs."""

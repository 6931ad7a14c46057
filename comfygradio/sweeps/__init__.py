"""Sweeps: values of fields as axes, the cheapest order of their points, runs that resume, and grids
of results.
"""

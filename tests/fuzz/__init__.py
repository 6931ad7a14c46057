"""Fuzzing: mutated presets, workflows, server answers, files and values; only our own errors may
come out.
"""

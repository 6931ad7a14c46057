"""Many machines: the engine on Dask distributed, its workers and its scheduler.

Only this room imports distributed.
"""

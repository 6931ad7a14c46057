"""Many machines: backends on Dask distributed, its workers and its scheduler.

Only this package imports distributed.
"""

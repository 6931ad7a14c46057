"""Ratings that people give to the content of points."""

from __future__ import annotations

from comfygradio.jobs.sweep_store import SweepStore
from comfygradio.sweeps.axes.axis import Index

RATINGS = range(-1, 6)
"""-1 rejects, 0 is none, 1 to 5 are stars."""


class Ratings:
    """One person's ratings of the points of a sweep, as far as their content is known."""

    def __init__(self, rows: SweepStore, owner: str) -> None:
        self._rows = rows
        self._owner = owner
        self._keys: dict[Index, str] = {}
        self._known = rows.list_ratings(owner)

    def set_content_key(self, index: Index, key: str) -> None:
        """Set the content key that identifies a point's result."""
        self._keys[index] = key

    def get(self, index: Index) -> int:
        """Return the rating of a point, 0 if there is none."""
        key = self._keys.get(index)
        if key is None:
            return 0
        return self._known.get(key, 0)

    def rate(self, index: Index, rating: int) -> bool:
        """Rate a point. The rating belongs to its content and stays for ever.

        Returns False for an unknown rating or content. Raises JobStoreError.
        """
        key = self._keys.get(index)
        if not key or rating not in RATINGS:
            return False
        self._rows.rate(self._owner, key, rating)
        self._known[key] = rating
        return True

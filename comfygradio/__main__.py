"""`python -m comfygradio`: the same as the command `comfygradio`."""

from __future__ import annotations

import sys

from comfygradio.cli import main

if __name__ == "__main__":
    sys.exit(main())

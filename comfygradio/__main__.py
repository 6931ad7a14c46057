"""`python -m comfygradio`: the same as the command `comfygradio`."""

from __future__ import annotations

import sys

from comfygradio.cli.app import main

if __name__ == "__main__":
    sys.exit(main())

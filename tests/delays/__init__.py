"""Delays threads, sockets, events and pages, so that a race that a test can lose is lost soon.

    TEST_DELAYS=7 python -m pytest -p tests.delays.plugin -n 4

The number is the seed. Other processes that the tests start are delayed as well.
"""

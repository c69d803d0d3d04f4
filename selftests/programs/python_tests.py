# SPDX-License-Identifier: GPL-2.0-only
"""Run python's own tests, one line a test: python_tests.py fork|nofork NAME...

With nofork a test that calls os.fork() is skipped at that point: what the
subprocess module does by vfork(2) is no such call.
"""
import os
import sys
import unittest


def no_fork():
    raise unittest.SkipTest("no fork here")


if sys.argv[1] == "nofork":
    os.fork = no_fork
unittest.main(module=None, argv=sys.argv[:1] + sys.argv[2:], verbosity=2)

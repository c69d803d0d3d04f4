# SPDX-License-Identifier: GPL-2.0-only
"""Run python's own tests, one line a test: python_tests.py NAME..."""
import sys
import unittest

unittest.main(module=None, argv=sys.argv, verbosity=2)

# SPDX-License-Identifier: GPL-2.0-only
"""The files that python's own tests of json, re and fork need, one a line.

For a guest: python's whole library is a hundred times as large.
"""
import glob
import importlib
import os
import sys
import test.test_json

for name in (
        "argparse", "json.tool", "re", "unittest", "test.test_re", "test.test_fork1",
        "test.fork_wait",
        # What a test of re starts a process by, when it does.
        "tempfile", "multiprocessing.popen_fork", "multiprocessing.synchronize"):
    importlib.import_module(name)

for path in glob.glob(os.path.dirname(test.test_json.__file__) + "/*.py"):
    name = os.path.basename(path)[:-3]
    if not name.startswith("__"):
        importlib.import_module("test.test_json." + name)

library = os.path.dirname(os.__file__)
files = {
    sys.executable,
    library + "/unittest/__main__.py",
    library + "/test/test_json/__main__.py",
}
for module in list(sys.modules.values()):
    path = getattr(module, "__file__", None)
    if path and path.startswith(library + "/"):
        files.add(path)
for pattern in "encodings/*", "multiprocessing/*", "sre_*", "test/re_tests":
    files.update(glob.glob(library + "/" + pattern + ".py"))
for path in sorted(files):
    print(path)

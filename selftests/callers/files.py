# SPDX-License-Identifier: GPL-2.0-only
"""What callers_test.sh and examples_test.sh need in a guest, one file a line.

Mono's runtime with its class library, and python with ctypes; of what is not on
this machine nothing is printed.
"""
import glob
import importlib
import os
import sys

# Only for what they bring along.
importlib.import_module("ctypes.util")
importlib.import_module("socket")

mono = (
    "/usr/bin/mono",
    "/etc/mono/config",
    "/usr/lib/libmono-native.so",
    # Whose functions have the same names.
    "/usr/lib/libMonoSupportW.so",
    "/usr/lib/mono/4.5/mscorlib.dll",
    "/usr/lib/mono/aot-cache/amd64/mscorlib.dll.so",
)

library = os.path.dirname(os.__file__)
files = {path for path in mono if os.path.exists(path)}
files.add(sys.executable)
for module in list(sys.modules.values()):
    path = getattr(module, "__file__", None)
    if path and path.startswith(library + "/"):
        files.add(path)
files.update(glob.glob(library + "/encodings/*.py"))
for path in sorted(files):
    print(path)

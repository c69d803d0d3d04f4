#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Which lines of the module has the fuzzer reached?

usage: report.py [--report | --missed] MODULE <PCS

MODULE is privheap.ko, built with KCOV and -g; PCS are the fuzzer's lines "@pc SECTION
OFFSET". Each call of __sanitizer_cov_trace_pc() in the module stands for a block of
code, and tells its line. Blocks of functions that run when the module is loaded or
unloaded are not counted: the fuzzer comes later.
"""
import collections
import os
import re
import subprocess
import sys

TRACE = "__sanitizer_cov_trace_pc"
# A call's relocation is that of its last four bytes; KCOV has the return address.
OPERAND = 4
OUTSIDE = re.compile(r"\.(init|exit)\.")


def output(*command, text=None):
    """What a program prints."""
    return subprocess.run(command, input=text, stdout=subprocess.PIPE, check=True,
                          encoding="utf-8").stdout


def blocks(module):
    """{(section, offset of the return address)}: all that is instrumented."""
    found, section = set(), None
    for line in output("readelf", "-rW", module).splitlines():
        match = re.match(r"Relocation section '\.rela(\.\S+)'", line)
        if match:
            section = match.group(1)
        elif line.rstrip().endswith(f"{TRACE} - 4") and not OUTSIDE.search(section):
            found.add((section, int(line.split()[0], 16) + OPERAND))
    return found


def lines_of(module, places):
    """{place: (file, line)}: the innermost line that is in kmod/."""
    result = {}
    for section in {section for section, _ in places}:
        offsets = sorted(offset for name, offset in places if name == section)
        text = "".join(f"{offset - 1:#x}\n" for offset in offsets)
        answer = output("addr2line", "-a", "-i", "-j", section, "-e", module, text=text)
        current = None
        for line in answer.splitlines():
            if re.fullmatch(r"0x[0-9a-f]+", line):
                current = (section, int(line, 16) + 1)
                continue
            match = re.search(r"/kmod/(\w+\.[ch]):(\d+)", line)
            if match and current not in result:
                result[current] = (match.group(1), int(match.group(2)))
    return result


def reached(stream):
    """The fuzzer's PCs."""
    found = set()
    for line in stream:
        words = line.split()
        if len(words) == 3 and words[0] == "@pc":
            found.add((words[1], int(words[2], 16)))
    return found


def print_table(counts):
    """A table for a README."""
    print("| file | blocks | reached | lines | reached |")
    print("| --- | --- | --- | --- | --- |")
    total = [0, 0, 0, 0]
    for name in sorted(counts):
        row = [len(counts[name][part]) for part in range(4)]
        total = [a + b for a, b in zip(total, row)]
        print(f"| {name} | {row[0]} | {row[1]} | {row[2]} | {row[3]} |")
    share = [100 * total[part + 1] / max(total[part], 1) for part in (0, 2)]
    print(f"| all | {total[0]} | {total[1]} ({share[0]:.0f} %) | {total[2]} | "
          f"{total[3]} ({share[1]:.0f} %) |")


def main():
    """Read, count, print."""
    if len(sys.argv) != 3 or sys.argv[1] not in ("--report", "--missed"):
        print(__doc__, file=sys.stderr)
        return 2
    module = os.path.realpath(sys.argv[2])
    instrumented = blocks(module)
    there = reached(sys.stdin)
    stray = {place for place in there - instrumented if not OUTSIDE.search(place[0])}
    # A block that ends in a jump to the function has its caller's return address.
    print(f"{len(there)} PCs, {len(stray)} of them of callers of such blocks")
    if not instrumented or not there or len(stray) > len(there) // 10:
        print("report: these are no PCs of this module", file=sys.stderr)
        return 1
    counts = collections.defaultdict(lambda: (set(), set(), set(), set()))
    for place, (name, line) in lines_of(module, instrumented).items():
        counts[name][0].add(place)
        counts[name][2].add(line)
        if place in there:
            counts[name][1].add(place)
            counts[name][3].add(line)
    print_table(counts)
    if sys.argv[1] == "--missed":
        for name in sorted(counts):
            missed = sorted(counts[name][2] - counts[name][3])
            if missed:
                print(f"{name}:", *missed)
    return 0


if __name__ == "__main__":
    sys.exit(main())

# SPDX-License-Identifier: GPL-2.0-only
"""Calls the heap functions through lib/python/privheap.py, and judges the answers.

A line for each check; the status is 1 if one failed.
"""
import ctypes
import sys

import privheap

failures = 0


def check(name, holds):
    global failures
    print("%s: %s" % ("fine" if holds else "FAILED", name))
    if not holds:
        failures += 1


def refused(name, code, function, *arguments):
    try:
        answer = function(*arguments)
    except privheap.Error as error:
        check("%s, error %d" % (name, code), error.code == code)
    else:
        check("%s: answered %r" % (name, answer), False)


def mapping_at(address):
    with open("/proc/self/maps") as maps:
        for line in maps:
            start, end = (int(x, 16) for x in line.split()[0].split("-"))
            if start <= address < end:
                return start, line
    return 0, ""


def proof(heap):
    start, line = mapping_at(heap)
    backend = privheap.PrivheapGetBackend()
    check("the handle begins a mapping", start == heap)
    check("which is of back end %d" % backend,
          "privheap:[" in line if backend == 1 else
          backend == 2 and "[" not in line)


def main():
    heap = privheap.HeapCreate(0, 65536, 1 << 20)
    proof(heap)

    block = privheap.HeapAlloc(heap, privheap.HEAP_ZERO_MEMORY, 5000)
    check("HeapAlloc: zeros", ctypes.string_at(block, 5000) == bytes(5000))
    check("HeapSize: exact", privheap.HeapSize(heap, 0, block) == 5000)
    ctypes.memmove(block, b"kept", 4)
    block = privheap.HeapReAlloc(heap, 0, block, 400000)
    check("HeapReAlloc: keeps", ctypes.string_at(block, 4) == b"kept")

    busy = [(entry.lpData, entry.cbData) for entry in privheap.walk(heap)
            if entry.wFlags & privheap.PROCESS_HEAP_ENTRY_BUSY]
    check("HeapWalk: the block", busy == [(block, 400000)])
    usage = privheap.PRIVHEAP_USAGE()
    privheap.PrivheapQueryHeap(heap, ctypes.byref(usage))
    check("PrivheapQueryHeap: the block",
          (usage.cBlocks, usage.cbAllocated, usage.dwRegions) == (1, 400000, 1))

    refused("HeapAlloc: beyond the maximum", privheap.ERROR_NOT_ENOUGH_MEMORY,
            privheap.HeapAlloc, heap, 0, 800000)
    check("by the heap's own maximum", privheap.PrivheapGetDeniedLevel() == 1)
    refused("HeapCreate: initial size above the maximum",
            privheap.ERROR_NOT_ENOUGH_MEMORY, privheap.HeapCreate, 0, 65536, 4096)
    check("HeapValidate: the block", privheap.HeapValidate(heap, 0, block) is True)
    privheap.HeapFree(heap, 0, block)
    check("HeapValidate: not any more",
          privheap.HeapValidate(heap, 0, block) is False)
    refused("HeapFree: twice", privheap.ERROR_INVALID_PARAMETER,
            privheap.HeapFree, heap, 0, block)
    refused("HeapSize: of what was freed", privheap.ERROR_INVALID_PARAMETER,
            privheap.HeapSize, heap, 0, block)
    check("HeapCompact: what is free", privheap.HeapCompact(heap, 0) > 0)
    privheap.HeapLock(heap)
    privheap.HeapUnlock(heap)

    # More than 32 bits, which a size has here.
    large = privheap.HeapCreate(0, 0, 5 << 32)
    first = next(privheap.walk(large))
    check("HeapCreate: a size of 20 GiB", first.cbData == 0xFFFFFFFF)
    privheap.HeapDestroy(large)

    heaps = (privheap.HANDLE * 4)()
    count = privheap.GetProcessHeaps(4, heaps)
    check("GetProcessHeaps", (count, heaps[0], heaps[1]) ==
          (2, privheap.GetProcessHeap(), heap))
    privheap.HeapDestroy(heap)
    refused("HeapDestroy: twice", privheap.ERROR_INVALID_HANDLE,
            privheap.HeapDestroy, heap)
    print("%d checks failed" % failures)
    return failures != 0


sys.exit(main())

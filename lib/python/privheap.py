# SPDX-License-Identifier: MIT
"""The heap functions of libprivheap for Python, by ctypes.

    import privheap

    heap = privheap.HeapCreate(0, 65536, 1 << 20)
    block = privheap.HeapAlloc(heap, privheap.HEAP_ZERO_MEMORY, 5000)
    privheap.HeapDestroy(heap)

They are called as from C, with numbers for handles and addresses, and raise
privheap.Error, an OSError whose "code" is the last error of Win32, where C would
have to look: a handle or an address of None, FALSE, or a size of (SIZE_T)-1.
HeapValidate and HeapWalk answer True or False instead.

PRIVHEAP_LIBRARY in the environment names another file than libprivheap.so.0.
"""
import ctypes
import os

HEAP_NO_SERIALIZE = 0x00000001
HEAP_GENERATE_EXCEPTIONS = 0x00000004
HEAP_ZERO_MEMORY = 0x00000008
HEAP_REALLOC_IN_PLACE_ONLY = 0x00000010
HEAP_CREATE_ENABLE_EXECUTE = 0x00040000

PROCESS_HEAP_REGION = 0x0001
PROCESS_HEAP_UNCOMMITTED_RANGE = 0x0002
PROCESS_HEAP_ENTRY_BUSY = 0x0004

ERROR_INVALID_HANDLE = 6
ERROR_NOT_ENOUGH_MEMORY = 8
ERROR_INVALID_PARAMETER = 87
ERROR_NO_MORE_ITEMS = 259

DWORD = ctypes.c_uint32
BOOL = ctypes.c_int
SIZE_T = ctypes.c_size_t
HANDLE = ctypes.c_void_p
LPVOID = ctypes.c_void_p

_NO_SIZE = SIZE_T(-1).value


class Error(OSError):
    """A call failed."""

    def __init__(self, function, code):
        super().__init__("%s failed, error %d" % (function, code))
        self.code = code


class _Block(ctypes.Structure):
    _fields_ = [("hMem", HANDLE), ("dwReserved", DWORD * 3)]


class _Region(ctypes.Structure):
    _fields_ = [("dwCommittedSize", DWORD), ("dwUnCommittedSize", DWORD),
                ("lpFirstBlock", LPVOID), ("lpLastBlock", LPVOID)]


class _BlockOrRegion(ctypes.Union):
    _fields_ = [("Block", _Block), ("Region", _Region)]


class PROCESS_HEAP_ENTRY(ctypes.Structure):
    """A step of HeapWalk()."""

    _anonymous_ = ("of",)
    _fields_ = [("lpData", LPVOID), ("cbData", DWORD),
                ("cbOverhead", ctypes.c_uint8), ("iRegionIndex", ctypes.c_uint8),
                ("wFlags", ctypes.c_uint16), ("of", _BlockOrRegion)]


class PRIVHEAP_USAGE(ctypes.Structure):
    """What PrivheapQueryHeap() tells; cb is set."""

    _fields_ = [("cb", DWORD), ("dwRegions", DWORD)] + [
        (name, ctypes.c_uint64) for name in (
            "cbReserved", "cbCommitted", "cbResident", "cbPeakCommitted",
            "cbPeakResident", "cbAllocated", "cBlocks")]

    def __init__(self):
        super().__init__(cb=ctypes.sizeof(PRIVHEAP_USAGE))


# With use_errno ctypes keeps what errno was after the call, which is the last
# error; GetLastError() could be told another call's by then.
_library = ctypes.CDLL(os.environ.get("PRIVHEAP_LIBRARY", "libprivheap.so.0"),
                       use_errno=True)


def _failed(result, function, _arguments):
    if not result:
        raise Error(function.__name__, ctypes.get_errno())
    return result


def _size_failed(result, function, _arguments):
    if result == _NO_SIZE:
        raise Error(function.__name__, ctypes.get_errno())
    return result


def _as_bool(result, _function, _arguments):
    return bool(result)


def _declare(name, result, arguments, check=None):
    function = getattr(_library, name)
    function.restype = result
    function.argtypes = arguments
    if check:
        function.errcheck = check
    return function


HeapCreate = _declare("HeapCreate", HANDLE, [DWORD, SIZE_T, SIZE_T], _failed)
HeapDestroy = _declare("HeapDestroy", BOOL, [HANDLE], _failed)
HeapAlloc = _declare("HeapAlloc", LPVOID, [HANDLE, DWORD, SIZE_T], _failed)
HeapReAlloc = _declare("HeapReAlloc", LPVOID, [HANDLE, DWORD, LPVOID, SIZE_T],
                       _failed)
HeapFree = _declare("HeapFree", BOOL, [HANDLE, DWORD, LPVOID], _failed)
HeapSize = _declare("HeapSize", SIZE_T, [HANDLE, DWORD, LPVOID], _size_failed)
HeapValidate = _declare("HeapValidate", BOOL, [HANDLE, DWORD, LPVOID], _as_bool)
HeapCompact = _declare("HeapCompact", SIZE_T, [HANDLE, DWORD])
HeapLock = _declare("HeapLock", BOOL, [HANDLE], _failed)
HeapUnlock = _declare("HeapUnlock", BOOL, [HANDLE], _failed)
HeapWalk = _declare("HeapWalk", BOOL,
                    [HANDLE, ctypes.POINTER(PROCESS_HEAP_ENTRY)], _as_bool)
GetProcessHeap = _declare("GetProcessHeap", HANDLE, [], _failed)
GetProcessHeaps = _declare("GetProcessHeaps", DWORD,
                           [DWORD, ctypes.POINTER(HANDLE)])
PrivheapQueryHeap = _declare("PrivheapQueryHeap", BOOL,
                             [HANDLE, ctypes.POINTER(PRIVHEAP_USAGE)], _failed)
PrivheapGetBackend = _declare("PrivheapGetBackend", DWORD, [])
PrivheapGetDeniedLevel = _declare("PrivheapGetDeniedLevel", DWORD, [])


def walk(heap):
    """Steps through a heap, which must not change meanwhile: each entry anew."""
    entry = PROCESS_HEAP_ENTRY()
    while HeapWalk(heap, ctypes.byref(entry)):
        yield PROCESS_HEAP_ENTRY.from_buffer_copy(entry)
    if ctypes.get_errno() != ERROR_NO_MORE_ITEMS:
        raise Error("HeapWalk", ctypes.get_errno())

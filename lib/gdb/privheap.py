# SPDX-License-Identifier: MIT
"""Private heaps in gdb, of a process or of a core file.

    info heaps              every heap of the process, a line each
    info heap HEAP          its blocks: address, size, and what they are
    info heap-block ADDRESS the block that an address lies in, or what else is there

Values of type HANDLE, and struct heap, are shown with what is in the heap. gdb loads
this file by itself with an installed library; else: source lib/gdb/privheap.py. It
needs the library's debug information, calls nothing in the process, and takes no lock:
of a heap that a thread is at work on it may tell what is not so any more. A core file
has no account of small blocks that are served often: there a slab, which has hundreds
of them, is one block.
"""
import struct

import gdb
import gdb.printing

# chunk.h
BUSY = 1
FLAGS = 7
SLACK_MASK = 0xff

# size_class.h
GRANULE = 16
CLASS_LIVE = 0x80
CLASS_SMALL = 31
SLACK_FAR = 64

HEAP_NO_SERIALIZE = 1


class Damaged(Exception):
    """What lies there is not what the library writes there."""


def read(address, size):
    return bytes(gdb.selected_inferior().read_memory(address, size))


def static(name):
    symbol = gdb.lookup_static_symbol(name) or gdb.lookup_global_symbol(name)
    if symbol is None:
        symbol = gdb.lookup_symbol(name)[0] if gdb.selected_thread() else None
    if symbol is None:
        raise gdb.GdbError("no debug information of libprivheap")
    return symbol.value()


def number(value):
    """An integer or a pointer, _Atomic or not."""
    return int(value.cast(gdb.lookup_type("unsigned long")))


class Block:
    """A live block, or free memory, of a heap."""

    def __init__(self, address, size, kind, taken):
        self.address = address
        self.size = size
        self.kind = kind
        self.taken = taken


class Front:
    """The slabs of a heap: which slots are live blocks."""

    def __init__(self, front):
        self.base = number(front["base"])
        self.map = number(front["map"])
        self.sizes = static("class_slot_size")
        self.slabs = {}
        for i in range(1, int(front["slabs_used"]) + 1):
            slab = front["slabs"][i]
            if int(slab["class"]):
                start = self.base + int(slab["first"]) * GRANULE
                self.slabs[start] = (int(slab["slots"]), int(slab["class"]))

    def size(self, address, marks, slot):
        if marks[0] > CLASS_LIVE | CLASS_SMALL:
            low = (slot - 1 - (marks[1] | marks[2] << 7)) & 0x3fff
            return slot - low - (marks[3] << 14)
        if marks[1] & SLACK_FAR:
            return min(slot, struct.unpack("<I", read(address + slot - 4, 4))[0])
        return slot - marks[1]

    def blocks(self, start):
        slots, cls = self.slabs[start]
        slot = int(self.sizes[CLASS_LIVE | cls])
        first = (start - self.base) // GRANULE
        marks = read(self.map + first, slots * slot // GRANULE)
        for i in range(slots):
            at = i * slot // GRANULE
            address = start + i * slot
            if marks[at] & CLASS_LIVE:
                yield Block(address, self.size(address, marks[at:at + 4], slot),
                            "slot", slot)
            else:
                yield Block(address, slot, "free slot", slot)


class Heap:
    """A struct heap of the process."""

    def __init__(self, handle):
        self.handle = handle
        self.heap = gdb.Value(handle).cast(
            gdb.lookup_type("struct heap").pointer()).dereference()
        front = number(self.heap["front"])
        self.front = None
        self.note = ""
        if not front:
            return
        try:
            self.front = Front(gdb.Value(front).cast(
                gdb.lookup_type("struct front").pointer()).dereference())
        except gdb.MemoryError:
            self.note = " (slabs count as blocks: a core file)"

    def kind(self):
        kind = "fixed" if self.heap["fixed"] else "growable"
        if int(self.heap["options"]) & HEAP_NO_SERIALIZE:
            kind += ", not serialized"
        return kind

    def regions(self):
        region = self.heap["regions"]
        while number(region):
            yield region.dereference()
            region = region["next"]

    def larges(self):
        header = gdb.lookup_type("struct large_block").sizeof
        large = self.heap["large"]
        while number(large):
            yield Block(number(large) + header, int(large["size"]), "large",
                        int(large["committed"]))
            large = large["next"]

    def chunks(self, region):
        """The row of chunks, as chunk.h describes it, and slabs' slots among them."""
        word = gdb.lookup_type("unsigned long").sizeof
        form, header = ("<QQ", 16) if word == 8 else ("<II", 8)
        start = number(region["blocks"]["start"])
        top = number(region["blocks"]["top"])
        at = start
        while at < top:
            head, check = struct.unpack(form, read(at, header))
            size = head & ~FLAGS
            if size < header or size > top - at:
                raise Damaged("a chunk at %#x has %#x bytes" % (at, size))
            block = at + header
            if not head & BUSY:
                yield Block(block, size - header, "free", size)
            elif self.front and block in self.front.slabs:
                yield from self.front.blocks(block)
            else:
                yield Block(block, size - header - (check & SLACK_MASK), "block", size)
            at += size

    def blocks(self):
        for region in self.regions():
            yield from self.chunks(region)
        yield from self.larges()

    def live(self):
        return [block for block in self.blocks() if not block.kind.startswith("free")]

    def summary(self):
        try:
            live = self.live()
        except (Damaged, gdb.MemoryError) as error:
            return "%s heap, damaged: %s" % (self.kind(), error)
        return "%s heap, %d blocks of %d bytes, %d committed%s" % (
            self.kind(), len(live), sum(block.size for block in live),
            int(self.heap["quota"]["usage"]), self.note)


def handles():
    heap = static("heaps_first")
    while number(heap):
        yield number(heap)
        heap = heap["next"]


def find(text):
    handle = number(gdb.parse_and_eval(text))
    if handle not in handles():
        raise gdb.GdbError("%#x is no heap" % handle)
    return Heap(handle)


class InfoHeaps(gdb.Command):
    """Every private heap of the process: its handle, and what is in it."""

    def __init__(self):
        super().__init__("info heaps", gdb.COMMAND_DATA)

    def invoke(self, argument, from_tty):
        for handle in handles():
            print("%#x  %s" % (handle, Heap(handle).summary()))


class InfoHeap(gdb.Command):
    """The blocks of a private heap, and what is free: info heap HEAP

HEAP is an expression: a handle."""

    def __init__(self):
        super().__init__("info heap", gdb.COMMAND_DATA)

    def invoke(self, argument, from_tty):
        if not argument:
            raise gdb.GdbError("info heap HEAP")
        heap = find(argument)
        print("%#x  %s" % (heap.handle, heap.summary()))
        try:
            for block in heap.blocks():
                print("  %#x  %10d  %s" % (block.address, block.size, block.kind))
        except (Damaged, gdb.MemoryError) as error:
            raise gdb.GdbError("the heap is damaged: %s" % error) from error


class InfoHeapBlock(gdb.Command):
    """What an address is to the private heaps: info heap-block ADDRESS"""

    def __init__(self):
        super().__init__("info heap-block", gdb.COMMAND_DATA)

    def invoke(self, argument, from_tty):
        if not argument:
            raise gdb.GdbError("info heap-block ADDRESS")
        address = number(gdb.parse_and_eval(argument))
        for handle in handles():
            try:
                blocks = list(Heap(handle).blocks())
            except (Damaged, gdb.MemoryError):
                continue
            for block in blocks:
                if block.address <= address < block.address + block.size:
                    print("%#x: byte %d of %d at %#x (%s) of heap %#x" % (
                        address, address - block.address, block.size,
                        block.address, block.kind, handle))
                    return
                if block.address <= address < block.address + block.taken:
                    print("%#x: %d bytes behind the block of %d at %#x of heap %#x" % (
                        address, address - block.address - block.size, block.size,
                        block.address, handle))
                    return
        print("%#x: no block of a heap" % address)


class HeapPrinter:
    """struct heap, or a HANDLE that is one."""

    def __init__(self, value):
        self.value = value

    def to_string(self):
        if self.value.type.strip_typedefs().code != gdb.TYPE_CODE_PTR:
            return Heap(number(self.value.address)).summary()
        handle = number(self.value)
        if handle and handle in handles():
            return "%#x (%s)" % (handle, Heap(handle).summary())
        return "%#x" % handle


def printer(value):
    if value.type.name == "HANDLE":
        return HeapPrinter(value)
    if value.type.strip_typedefs().tag == "heap" and value.address is not None:
        return HeapPrinter(value)
    return None


printer.name = "privheap"
printer.enabled = True

gdb.printing.register_pretty_printer(gdb.current_objfile(), printer, replace=True)
InfoHeaps()
InfoHeap()
InfoHeapBlock()

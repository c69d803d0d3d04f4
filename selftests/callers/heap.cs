// SPDX-License-Identifier: GPL-2.0-only
//
// A program for .NET that calls the heap functions of Kernel32.dll, and judges what
// they answer. A line for each check; the status is 1 if one failed. What it takes
// from libprivheap by that name is there to prove whose functions the others are.

using System;
using System.IO;
using System.Runtime.InteropServices;

public static class Program
{
	[StructLayout(LayoutKind.Sequential)]
	struct Usage
	{
		public uint Size;
		public uint Regions;
		public ulong Reserved, Committed, Resident;
		public ulong PeakCommitted, PeakResident;
		public ulong Allocated, Blocks;
	}

	[UnmanagedFunctionPointer(CallingConvention.Cdecl)]
	delegate void ExceptionHandler(uint code, IntPtr heap, UIntPtr bytes);

	[DllImport("libprivheap.so.0")]
	static extern int PrivheapQueryHeap(IntPtr heap, ref Usage usage);

	[DllImport("libprivheap.so.0")]
	static extern uint PrivheapGetBackend();

	[DllImport("libprivheap.so.0")]
	static extern IntPtr PrivheapSetExceptionHandler(ExceptionHandler handler);

	// As Mono itself has it, and the library has not.
	[DllImport("kernel32.dll")]
	static extern void ZeroMemory(IntPtr to, IntPtr length);

	const int NotEnoughMemory = 8, InvalidHandle = 6, InvalidParameter = 87;

	static int failures;

	static void Check(string name, bool holds)
	{
		Console.WriteLine("{0}: {1}", holds ? "fine" : "FAILED", name);
		if (!holds)
			failures++;
	}

	// Both must be there: an error that an earlier call has left is none.
	static void Refused(string name, bool answer, int error)
	{
		int found = Marshal.GetLastWin32Error();

		Check(name + ", error " + error, answer && found == error);
		if (found != error)
			Console.WriteLine("  the error is {0}", found);
	}

	// The line of /proc/self/maps for an address, or an empty one.
	static string MappingAt(IntPtr address)
	{
		ulong at = (ulong)address.ToInt64();

		foreach (string line in File.ReadAllLines("/proc/self/maps")) {
			string[] range = line.Split(' ')[0].Split('-');

			if (at >= Convert.ToUInt64(range[0], 16) &&
			    at < Convert.ToUInt64(range[1], 16))
				return line;
		}
		return "";
	}

	static bool QueryHeap(IntPtr heap, out Usage usage)
	{
		usage = new Usage();
		usage.Size = (uint)Marshal.SizeOf(typeof(Usage));
		return PrivheapQueryHeap(heap, ref usage) == 1;
	}

	static void Proof(IntPtr heap)
	{
		uint backend = PrivheapGetBackend();
		string mapping = MappingAt(heap);
		Usage usage;

		Check("the library knows the handle",
			QueryHeap(heap, out usage) && usage.Regions == 1 &&
			usage.Committed == 65536 && usage.Blocks == 0);
		Check("the handle begins a mapping",
			mapping.StartsWith(heap.ToInt64().ToString("x") + "-"));
		Check(backend == 1 ? "which is a region of the module" :
			"which is of the library's own making",
			backend == 1 ? mapping.Contains("privheap:[") :
			backend == 2 && !mapping.Contains("["));
	}

	static void Blocks(IntPtr heap)
	{
		IntPtr block = Kernel32.HeapAlloc(heap, HeapFlags.ZeroMemory, 5000);
		IntPtr moved;
		Usage usage;
		int i, sum = 0;

		for (i = 0; i < 5000; i++)
			sum += Marshal.ReadByte(block, i);
		Check("HeapAlloc: zeros", block != IntPtr.Zero && sum == 0);
		Check("HeapSize: exact",
			Kernel32.HeapSize(heap, HeapFlags.None, block) == 5000);
		Check("HeapValidate: a block",
			Kernel32.HeapValidate(heap, HeapFlags.None, block));
		Marshal.WriteByte(block, 4999, 77);
		moved = Kernel32.HeapReAlloc(heap, HeapFlags.ZeroMemory, block, 400000);
		Check("HeapReAlloc: keeps, and clears the rest",
			moved != IntPtr.Zero && Marshal.ReadByte(moved, 4999) == 77 &&
			Marshal.ReadByte(moved, 399999) == 0);
		Check("the library counts the block",
			QueryHeap(heap, out usage) && usage.Blocks == 1 &&
			usage.Allocated == 400000);

		// malloc would have it.
		Refused("HeapReAlloc: beyond the largest block",
			Kernel32.HeapReAlloc(heap, HeapFlags.None, moved, 2000000) ==
			IntPtr.Zero, NotEnoughMemory);
		Check("HeapAlloc: beyond the heap's maximum",
			Kernel32.HeapAlloc(heap, HeapFlags.None, 800000) ==
			IntPtr.Zero);
		ZeroMemory(moved, new IntPtr(5000));
		Check("ZeroMemory: Mono's is still there",
			Marshal.ReadByte(moved, 4999) == 0);
		Check("HeapFree: true", Kernel32.HeapFree(heap, HeapFlags.None, moved));
		Refused("HeapFree: twice",
			!Kernel32.HeapFree(heap, HeapFlags.None, moved),
			InvalidParameter);
		Refused("HeapSize: of what was freed",
			Kernel32.HeapSize(heap, HeapFlags.None, moved) == -1,
			InvalidParameter);
		Check("HeapValidate: not what was freed",
			!Kernel32.HeapValidate(heap, HeapFlags.None, moved));
		Check("HeapCompact: what is free",
			Kernel32.HeapCompact(heap, HeapFlags.None) > 0);
		Check("HeapLock, HeapUnlock",
			Kernel32.HeapLock(heap) && Kernel32.HeapUnlock(heap));
		Refused("HeapUnlock: not locked", !Kernel32.HeapUnlock(heap), 288);
	}

	// A uint whose register has ones above, if whoever passes it is careless.
	static void Sizes()
	{
		int negative = -4096;
		uint size = unchecked((uint)negative);
		ulong asked = 0;
		ExceptionHandler handler = (code, where, bytes) => asked = (ulong)bytes;
		HeapSummaryInfo summary = new HeapSummaryInfo();
		IntPtr heap = Kernel32.HeapCreate(HeapFlags.None, 0, size), block;

		summary.Size = (uint)Marshal.SizeOf(typeof(HeapSummaryInfo));
		Check("a size of 4 GiB less a page: HeapCreate", heap != IntPtr.Zero &&
			Kernel32.HeapSummary(heap, HeapFlags.None, ref summary) &&
			(ulong)summary.MaxReserve == 0xFFFFF000);
		if (heap == IntPtr.Zero)
			heap = Kernel32.HeapCreate(HeapFlags.None, 0, 65536);

		PrivheapSetExceptionHandler(handler);
		Check("a size of 4 GiB less a page: HeapAlloc",
			Kernel32.HeapAlloc(heap, HeapFlags.GenerateExceptions,
				unchecked((uint)negative)) == IntPtr.Zero &&
			asked == 0xFFFFF000);
		asked = 0;
		block = Kernel32.HeapAlloc(heap, HeapFlags.None, 100);
		Check("a size of 4 GiB less a page: HeapReAlloc",
			Kernel32.HeapReAlloc(heap, HeapFlags.GenerateExceptions, block,
				unchecked((uint)negative)) == IntPtr.Zero &&
			asked == 0xFFFFF000);
		PrivheapSetExceptionHandler(null);
		GC.KeepAlive(handler);
		Kernel32.HeapDestroy(heap);
	}

	static void Process(IntPtr heap)
	{
		IntPtr[] heaps = new IntPtr[16];
		SystemInfo system;
		uint count;

		Kernel32.GetSystemInfo(out system);
		Check("GetSystemInfo: pages",
			system.PageSize == Environment.SystemPageSize &&
			system.AllocationGranularity == 65536 &&
			system.NumberOfProcessors > 0);
		Check("GetProcessHeap", Kernel32.GetProcessHeap() != IntPtr.Zero &&
			Kernel32.GetProcessHeap() == Kernel32.GetProcessHeap());
		count = Kernel32.GetProcessHeaps(16, heaps);
		Check("GetProcessHeaps", count == 2 && heaps[1] == heap &&
			heaps[0] == Kernel32.GetProcessHeap());
		Refused("HeapDestroy: the process heap",
			!Kernel32.HeapDestroy(Kernel32.GetProcessHeap()),
			InvalidHandle);
	}

	// With "proof" nothing is done that malloc and free could die of.
	public static int Main(string[] arguments)
	{
		IntPtr heap = Kernel32.HeapCreate(HeapFlags.None, 65536, 1 << 20);

		Check("HeapCreate", heap != IntPtr.Zero);
		if (heap == IntPtr.Zero)
			return 1;
		Proof(heap);
		if (arguments.Length > 0)
			return failures == 0 ? 0 : 1;
		Blocks(heap);
		Process(heap);
		Refused("HeapCreate: an initial size above the maximum",
			Kernel32.HeapCreate(HeapFlags.None, 2 << 20, 1 << 20) ==
			IntPtr.Zero, NotEnoughMemory);
		Check("HeapDestroy", Kernel32.HeapDestroy(heap));
		Refused("HeapDestroy: twice", !Kernel32.HeapDestroy(heap),
			InvalidHandle);
		Sizes();
		Console.WriteLine("{0} checks failed", failures);
		return failures == 0 ? 0 : 1;
	}
}

// SPDX-License-Identifier: MIT
//
// The heap functions as programs for .NET declare them, for a Kernel32.dll whose
// sizes have 32 bits. Nothing here says that it is another library: dllmap.config
// does, as NAME.exe.config beside the program.

using System;
using System.Runtime.InteropServices;

[Flags]
public enum HeapFlags
{
	None = 0,
	NoSerialize = 0x1,
	Growable = 0x2,
	GenerateExceptions = 0x4,
	ZeroMemory = 0x8,
	ReAllocInPlaceOnly = 0x10,
	TailCheckingEnabled = 0x20,
	FreeCheckingEnabled = 0x40,
	DisableCoalesceOnFree = 0x80,
	CreateSegmentHeap = 0x100,
	CreateHardened = 0x200,
	CreateAlign16 = 0x10000,
	CreateEnableTracing = 0x20000,
	CreateEnableExecute = 0x40000
}

[StructLayout(LayoutKind.Sequential)]
public struct SystemInfo
{
	public ushort ProcessorArchitecture;
	public ushort Reserved;
	public uint PageSize;
	public IntPtr MinimumApplicationAddress;
	public IntPtr MaximumApplicationAddress;
	public UIntPtr ActiveProcessorMask;
	public uint NumberOfProcessors;
	public uint ProcessorType;
	public uint AllocationGranularity;
	public ushort ProcessorLevel;
	public ushort ProcessorRevision;
}

[StructLayout(LayoutKind.Sequential)]
public struct HeapSummaryInfo
{
	public uint Size;
	public UIntPtr Allocated;
	public UIntPtr Committed;
	public UIntPtr Reserved;
	public UIntPtr MaxReserve;
}

public static class Kernel32
{
	[DllImport("Kernel32.dll", SetLastError = true)]
	public static extern IntPtr HeapCreate(HeapFlags options,
		uint initialSize, uint maximumSize);

	[DllImport("Kernel32.dll", SetLastError = true)]
	public static extern bool HeapDestroy(IntPtr hHeap);

	[DllImport("Kernel32.dll")]
	public static extern IntPtr HeapAlloc(IntPtr hHeap, HeapFlags flags,
		uint bytes);

	[DllImport("Kernel32.dll", SetLastError = true)]
	public static extern IntPtr HeapReAlloc(IntPtr hHeap, HeapFlags flags,
		IntPtr mem, uint bytes);

	[DllImport("Kernel32.dll", SetLastError = true)]
	public static extern bool HeapFree(IntPtr hHeap, HeapFlags flags,
		IntPtr mem);

	[DllImport("Kernel32.dll", SetLastError = true)]
	public static extern int HeapSize(IntPtr hHeap, HeapFlags flags,
		IntPtr mem);

	[DllImport("Kernel32.dll")]
	public static extern bool HeapValidate(IntPtr hHeap, HeapFlags flags,
		IntPtr mem);

	[DllImport("Kernel32.dll", SetLastError = true)]
	public static extern uint HeapCompact(IntPtr hHeap, HeapFlags flags);

	[DllImport("Kernel32.dll", SetLastError = true)]
	public static extern bool HeapLock(IntPtr hHeap);

	[DllImport("Kernel32.dll", SetLastError = true)]
	public static extern bool HeapUnlock(IntPtr hHeap);

	[DllImport("Kernel32.dll", SetLastError = true)]
	public static extern bool HeapSummary(IntPtr hHeap, HeapFlags flags,
		ref HeapSummaryInfo summary);

	[DllImport("Kernel32.dll", SetLastError = true)]
	public static extern IntPtr GetProcessHeap();

	[DllImport("Kernel32.dll", SetLastError = true)]
	public static extern uint GetProcessHeaps(uint numberOfHeaps,
		[Out] IntPtr[] processHeaps);

	[DllImport("Kernel32.dll")]
	public static extern void GetSystemInfo(out SystemInfo systemInfo);
}

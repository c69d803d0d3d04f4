// SPDX-License-Identifier: GPL-2.0-only
/* VirtualQuery(), a test for each rule of its behaviour; GetNativeSystemInfo(). */
#include <sys/utsname.h>

#include "virtual_selftest.h"

/* ------------------------------------------------------------ the header */

TEST(layout_is_that_of_windows)
{
#if UINTPTR_MAX > 0xFFFFFFFF
	static const size_t offsets[] = { 0, 8, 16, 24, 32, 36, 40, 48 };

	EXPECT_EQ(20, offsetof(MEMORY_BASIC_INFORMATION, PartitionId));
#else
	static const size_t offsets[] = { 0, 4, 8, 12, 16, 20, 24, 28 };
#endif
	EXPECT_EQ(offsets[0], offsetof(MEMORY_BASIC_INFORMATION, BaseAddress));
	EXPECT_EQ(offsets[1], offsetof(MEMORY_BASIC_INFORMATION, AllocationBase));
	EXPECT_EQ(offsets[2],
		  offsetof(MEMORY_BASIC_INFORMATION, AllocationProtect));
	EXPECT_EQ(offsets[3], offsetof(MEMORY_BASIC_INFORMATION, RegionSize));
	EXPECT_EQ(offsets[4], offsetof(MEMORY_BASIC_INFORMATION, State));
	EXPECT_EQ(offsets[5], offsetof(MEMORY_BASIC_INFORMATION, Protect));
	EXPECT_EQ(offsets[6], offsetof(MEMORY_BASIC_INFORMATION, Type));
	EXPECT_EQ(offsets[7], sizeof(MEMORY_BASIC_INFORMATION));
}

/* ----------------------------------------------------------------- query */

TEST_F(memory, query_arguments)
{
	MEMORY_BASIC_INFORMATION info, untouched;
	char *p = VirtualAlloc(NULL, MIB, MEM_RESERVE, PAGE_READONLY);
	SYSTEM_INFO system;
	SIZE_T got;

	memset(&info, 0xee, sizeof(info));
	memset(&untouched, 0xee, sizeof(untouched));
	GetSystemInfo(&system);
	SETS_ERROR(ERROR_BAD_LENGTH,
		   EXPECT_EQ(0, VirtualQuery(p, &info, sizeof(info) - 1)));
	SETS_ERROR(ERROR_BAD_LENGTH, EXPECT_EQ(0, VirtualQuery(p, &info, 0)));
	SETS_ERROR(ERROR_NOACCESS,
		   EXPECT_EQ(0, VirtualQuery(p, NULL, sizeof(info))));
	SETS_ERROR(ERROR_INVALID_PARAMETER,
		   EXPECT_EQ(0, VirtualQuery((LPCVOID)UINTPTR_MAX, &info,
					     sizeof(info))));
	SETS_ERROR(ERROR_INVALID_PARAMETER,
		   EXPECT_EQ(0, VirtualQuery((char *)
				system.lpMaximumApplicationAddress + 1, &info,
				sizeof(info))));
	EXPECT_EQ(0, memcmp(&info, &untouched, sizeof(info)));

	KEEPS_ERROR(got = VirtualQuery(p, &info, sizeof(info)));
	EXPECT_EQ(sizeof(info), got);
	KEEPS_ERROR(got = VirtualQuery(p, &info, sizeof(info) + 100));
	EXPECT_EQ(sizeof(info), got);
	KEEPS_ERROR(got = VirtualQuery(system.lpMaximumApplicationAddress, &info,
				       sizeof(info)));
	EXPECT_EQ(sizeof(info), got);
	VirtualFree(p, 0, MEM_RELEASE);
}

TEST_F(memory, query_inside_of_a_run)
{
	SIZE_T page = self->page;
	char *p = VirtualAlloc(NULL, 32 * page, MEM_RESERVE, PAGE_READONLY);
	MEMORY_BASIC_INFORMATION info;

	VirtualAlloc(p + 8 * page, 8 * page, MEM_COMMIT, PAGE_READWRITE);
	info = info_of(p + 10 * page + 123);
	EXPECT_EQ(p + 10 * page, info.BaseAddress);
	EXPECT_EQ(p, info.AllocationBase);
	EXPECT_EQ(PAGE_READONLY, info.AllocationProtect);
	EXPECT_EQ(6 * page, info.RegionSize);
	EXPECT_EQ(MEM_COMMIT, info.State);
	EXPECT_EQ(PAGE_READWRITE, info.Protect);
	info = info_of(p + 17 * page - 1);
	EXPECT_EQ(p + 16 * page, info.BaseAddress);
	EXPECT_EQ(16 * page, info.RegionSize);
	EXPECT_EQ(MEM_RESERVE, info.State);
	info = info_of(p + 32 * page - 1);
	EXPECT_EQ(p + 31 * page, info.BaseAddress);
	EXPECT_EQ(page, info.RegionSize);
	VirtualFree(p, 0, MEM_RELEASE);
}

TEST_F(memory, query_of_many_runs)
{
	const int count = 2000;
	SIZE_T page = self->page;
	char *p = VirtualAlloc(NULL, count * page, MEM_RESERVE, PAGE_NOACCESS);

	/* every other page, from both ends: more runs than fit in a page */
	for (int i = 0; i < count; i += 4) {
		ASSERT_NE(NULL, VirtualAlloc(p + i * page, 1, MEM_COMMIT,
					     PAGE_READWRITE));
		ASSERT_NE(NULL, VirtualAlloc(p + (count - 2 - i) * page, 1,
					     MEM_COMMIT, PAGE_READWRITE));
	}
	for (int i = 0; i < count; i++) {
		MEMORY_BASIC_INFORMATION info = info_of(p + i * page);

		ASSERT_EQ(page, info.RegionSize);
		ASSERT_EQ(i % 2 ? MEM_RESERVE : MEM_COMMIT, info.State);
		ASSERT_EQ(p, info.AllocationBase);
	}
	EXPECT_EQ(self->before.committed + count / 2 * page,
		  process_usage().committed);
	/* the holes closed, in an order that joins runs on either side */
	for (int i = 1; i < count; i += 2)
		ASSERT_NE(NULL, VirtualAlloc(p + i * 7 % count * page, 1,
					     MEM_COMMIT, PAGE_READWRITE));
	EXPECT_RUN(p, p, count * page, MEM_COMMIT, PAGE_READWRITE);
	EXPECT_EQ(TRUE, VirtualFree(p, 0, MEM_RELEASE));
}

TEST(query_of_what_is_free)
{
	SIZE_T page = sysconf(_SC_PAGESIZE);
	char *map = mmap(NULL, 7 * page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS,
			 -1, 0);
	MEMORY_BASIC_INFORMATION info;

	ASSERT_NE(MAP_FAILED, map);
	/* the library's first call needs some memory, and not in that hole */
	info = info_of(map);
	EXPECT_EQ(7 * page, info.RegionSize);
	ASSERT_EQ(0, munmap(map + 2 * page, 3 * page));
	info = info_of(map + 3 * page + 5);
	EXPECT_EQ(map + 3 * page, info.BaseAddress);
	EXPECT_EQ(NULL, info.AllocationBase);
	EXPECT_EQ(0, info.AllocationProtect);
	EXPECT_EQ(2 * page, info.RegionSize);
	EXPECT_EQ(MEM_FREE, info.State);
	EXPECT_EQ(PAGE_NOACCESS, info.Protect);
	EXPECT_EQ(0, info.Type);

	info = info_of(NULL);
	EXPECT_EQ(NULL, info.BaseAddress);
	EXPECT_EQ(MEM_FREE, info.State);
	EXPECT_LE(65536, info.RegionSize);
}

TEST(query_of_other_mappings)
{
	static const struct {
		int prot;
		DWORD private_protect;
		DWORD file_protect;
	} rules[] = {
		{ PROT_NONE, PAGE_NOACCESS, PAGE_NOACCESS },
		{ PROT_READ, PAGE_READONLY, PAGE_READONLY },
		{ PROT_READ | PROT_WRITE, PAGE_READWRITE, PAGE_WRITECOPY },
		{ PROT_READ | PROT_EXEC, PAGE_EXECUTE_READ, PAGE_EXECUTE_READ },
		{ PROT_READ | PROT_WRITE | PROT_EXEC, PAGE_EXECUTE_READWRITE,
		  PAGE_EXECUTE_WRITECOPY },
	};
	SIZE_T page = sysconf(_SC_PAGESIZE);
	MEMORY_BASIC_INFORMATION info;
	char *map, *file, *middle;
	int fd = memfd_create("test", 0);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, ftruncate(fd, 4 * page));
	/* a page of something else on either side, so that nothing merges */
	map = mmap(NULL, 6 * page, PROT_NONE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, map);
	middle = map + page;
	for (unsigned int i = 0; i < ARRAY_SIZE(rules); i++) {
		ASSERT_EQ(middle, mmap(middle, 4 * page, rules[i].prot,
				       MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS,
				       -1, 0));
		info = info_of(middle + page + 1);
		EXPECT_EQ(middle + page, info.BaseAddress);
		EXPECT_EQ(middle, info.AllocationBase);
		EXPECT_EQ(3 * page, info.RegionSize);
		EXPECT_EQ(MEM_COMMIT, info.State);
		EXPECT_EQ(rules[i].private_protect, info.Protect);
		EXPECT_EQ(rules[i].private_protect, info.AllocationProtect);
		EXPECT_EQ(MEM_PRIVATE, info.Type);

		file = mmap(middle, 4 * page, rules[i].prot,
			    MAP_FIXED | MAP_PRIVATE, fd, 0);
		ASSERT_EQ(middle, file);
		info = info_of(file);
		EXPECT_EQ(file, info.AllocationBase);
		EXPECT_EQ(4 * page, info.RegionSize);
		EXPECT_EQ(rules[i].file_protect, info.Protect);
		EXPECT_EQ(rules[i].prot & PROT_EXEC ? MEM_IMAGE : MEM_MAPPED,
			  info.Type);
	}
	file = mmap(middle, 4 * page, PROT_READ | PROT_WRITE,
		    MAP_FIXED | MAP_SHARED, fd, 0);
	ASSERT_EQ(middle, file);
	info = info_of(file);
	EXPECT_EQ(PAGE_READWRITE, info.Protect);
	EXPECT_EQ(MEM_MAPPED, info.Type);

	/* one allocation of two protections */
	ASSERT_EQ(0, mprotect(file + 2 * page, page, PROT_READ));
	EXPECT_EQ(2 * page, info_of(file).RegionSize);
	EXPECT_EQ(file, info_of(file + 2 * page).AllocationBase);
	EXPECT_EQ(page, info_of(file + 2 * page).RegionSize);
	EXPECT_EQ(PAGE_READONLY, info_of(file + 2 * page).Protect);
	EXPECT_EQ(file, info_of(file + 3 * page).AllocationBase);
}

extern const char __executable_start;

TEST(query_of_the_program)
{
	static int initialized = 5;
	MEMORY_BASIC_INFORMATION info = info_of((void *)(uintptr_t)&info_of);
	int local;

	EXPECT_EQ(MEM_COMMIT, info.State);
	EXPECT_EQ(PAGE_EXECUTE_READ, info.Protect);
	EXPECT_EQ(MEM_IMAGE, info.Type);
	EXPECT_EQ(&__executable_start, info.AllocationBase);
	/* data before and behind the code */
	info = info_of(&__executable_start);
	EXPECT_EQ(MEM_IMAGE, info.Type);
	EXPECT_EQ(PAGE_READONLY, info.Protect);
	info = info_of(&initialized);
	EXPECT_EQ(&__executable_start, info.AllocationBase);
	EXPECT_EQ(PAGE_WRITECOPY, info.Protect);
	info = info_of(&local);
	EXPECT_EQ(MEM_PRIVATE, info.Type);
	EXPECT_EQ(PAGE_READWRITE, info.Protect);
}

/* From NULL up, each run ends where the next one begins. */
TEST_F(memory, query_walks_all_addresses)
{
	static char *all[20];
	MEMORY_BASIC_INFORMATION info;
	const char *at = NULL;
	int found = 0, hidden = 0;
	DWORD before = 0;
	SYSTEM_INFO system;
	unsigned char in_core;

	/* sizes that leave something over in every unit of 64 KiB */
	for (unsigned int i = 0; i < ARRAY_SIZE(all); i++) {
		all[i] = VirtualAlloc(NULL, (3 * i + 1) * self->page, i % 2 ?
				      MEM_RESERVE : MEM_COMMIT, PAGE_READWRITE);
		ASSERT_NE(NULL, all[i]);
	}
	GetSystemInfo(&system);
	while (VirtualQuery(at, &info, sizeof(info))) {
		ASSERT_EQ(at, info.BaseAddress);
		ASSERT_LT(0, info.RegionSize);
		ASSERT_EQ(0, info.RegionSize % self->page);
		/* free ranges are as long as they can be */
		if (before == MEM_FREE) {
			ASSERT_NE(MEM_FREE, info.State);
		}
		if (info.State == MEM_FREE)
			hidden += !mincore((void *)at, self->page, &in_core);
		for (unsigned int i = 0; i < ARRAY_SIZE(all); i++) {
			if (at != all[i])
				continue;
			EXPECT_EQ(all[i], info.AllocationBase);
			EXPECT_EQ((3 * i + 1) * self->page, info.RegionSize);
			EXPECT_EQ(i % 2 ? MEM_RESERVE : MEM_COMMIT, info.State);
			found++;
		}
		before = info.State;
		at += info.RegionSize;
	}
	EXPECT_EQ(ERROR_INVALID_PARAMETER, GetLastError());
	EXPECT_EQ((char *)system.lpMaximumApplicationAddress + 1, at);
	EXPECT_EQ(20, found);
	/* and some of it is mapped: what is left of a region is not shown */
	EXPECT_LT(0, hidden);
	for (unsigned int i = 0; i < ARRAY_SIZE(all); i++)
		EXPECT_EQ(TRUE, VirtualFree(all[i], 0, MEM_RELEASE));
}

/* The kernel shows neighbours of the same kind as one mapping. */
TEST_F(memory, query_tells_neighbours_apart)
{
	SIZE_T page = self->page;
	char *p, *first, *at, *map = MAP_FAILED;

	/* With the first one comes memory for the library's own records. */
	first = VirtualAlloc(NULL, 16 * page, MEM_RESERVE, PAGE_READWRITE);
	p = VirtualAlloc(NULL, 16 * page, MEM_RESERVE, PAGE_READWRITE);
	/* the page just before the region, which may begin before the reservation */
	for (at = p - page; info_of(at).State == MEM_FREE; at -= page) {
		map = mmap(at, page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS |
			   MAP_FIXED_NOREPLACE | MAP_NORESERVE, -1, 0);
		if (map == at)
			break;
		if (map == MAP_FAILED) {
			ASSERT_EQ(EEXIST, errno);
			continue;
		}
		/* valgrind takes the address for a hint */
		munmap(map, page);
		map = MAP_FAILED;
	}
	if (map == MAP_FAILED) {
		VirtualFree(first, 0, MEM_RELEASE);
		VirtualFree(p, 0, MEM_RELEASE);
		SKIP(return, "no room before the region");
	}
	/* as the library does with a region that it keeps itself */
	madvise(map, page, MADV_DONTFORK);
	EXPECT_RUN(map, map, page, MEM_COMMIT, PAGE_NOACCESS);
	if (map + page < p) {
		EXPECT_EQ(MEM_FREE, info_of(map + page).State);
		EXPECT_EQ(p - map - page, info_of(map + page).RegionSize);
	}
	EXPECT_RUN(p, p, 16 * page, MEM_RESERVE, 0);
	EXPECT_EQ(TRUE, VirtualFree(p, 0, MEM_RELEASE));
	EXPECT_EQ(TRUE, VirtualFree(first, 0, MEM_RELEASE));
	EXPECT_EQ(0, munmap(map, page));
}

/* ---------------------------------------------------- GetNativeSystemInfo */

TEST(native_system_info)
{
	SYSTEM_INFO info, native;

	memset(&info, 0xff, sizeof(info));
	memset(&native, 0xff, sizeof(native));
	GetSystemInfo(&info);
	KEEPS_ERROR(GetNativeSystemInfo(&native));
#if defined(__i386__)
	struct utsname name;

	ASSERT_EQ(0, uname(&name));
	if (!strcmp(name.machine, "x86_64")) {
		EXPECT_EQ(PROCESSOR_ARCHITECTURE_AMD64,
			  native.wProcessorArchitecture);
		EXPECT_EQ(PROCESSOR_AMD_X8664, native.dwProcessorType);
		EXPECT_EQ((LPVOID)UINTPTR_MAX,
			  native.lpMaximumApplicationAddress);
		/* and all else is the same */
		native.wProcessorArchitecture = info.wProcessorArchitecture;
		native.dwProcessorType = info.dwProcessorType;
		native.lpMaximumApplicationAddress =
			info.lpMaximumApplicationAddress;
	}
#endif
	EXPECT_EQ(0, memcmp(&info, &native, sizeof(info)));
}

TEST_HARNESS_MAIN

// SPDX-License-Identifier: GPL-2.0-only
/* HeapQueryInformation and HeapSetInformation: see heap_selftest.h. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "heap_selftest.h"

_Static_assert(sizeof(HEAP_OPTIMIZE_RESOURCES_INFORMATION) == 8, "its size");
OFFSET_64_32(HEAP_OPTIMIZE_RESOURCES_INFORMATION, Version, 0, 0);
OFFSET_64_32(HEAP_OPTIMIZE_RESOURCES_INFORMATION, Flags, 4, 4);
_Static_assert(sizeof(BOOL) == 4 && sizeof(DWORD) == 4 && sizeof(ULONG) == 4,
	       "32 bits");
_Static_assert(sizeof(HEAP_INFORMATION_CLASS) == 4, "an enum");
_Static_assert(HeapCompatibilityInformation == 0 &&
	       HeapEnableTerminationOnCorruption == 1 &&
	       HeapOptimizeResources == 3 && HeapTag == 7, "the classes");

static ULONG compatibility_of(HANDLE heap)
{
	ULONG value = 99;

	HeapQueryInformation(heap, HeapCompatibilityInformation, &value,
			     sizeof(value), NULL);
	return value;
}

static BOOL set_compatibility(HANDLE heap, ULONG value)
{
	return HeapSetInformation(heap, HeapCompatibilityInformation, &value,
				  sizeof(value));
}

/* ------------------------------------------------- Heap...Information */

TEST(I1_I3_I4_fresh_heaps)
{
	HANDLE heaps[] = {
		HeapCreate(0, 0, 0), HeapCreate(HEAP_NO_SERIALIZE, 0, 0),
		HeapCreate(0, 0, 64 * KIB), GetProcessHeap(),
	};
	ULONG values[2];
	SIZE_T length;

	for (unsigned int i = 0; i < ARRAY_SIZE(heaps); i++) {
		values[0] = 77;
		values[1] = 77;
		length = 55;
		KEEPS_ERROR(EXPECT_EQ(TRUE, HeapQueryInformation(heaps[i],
								 HeapCompatibilityInformation,
								 values, 4, &length)));
		EXPECT_EQ(0, values[0]);
		EXPECT_EQ(4, length);
		/* I4: more room than needed */
		values[0] = 77;
		length = 55;
		KEEPS_ERROR(EXPECT_EQ(TRUE, HeapQueryInformation(heaps[i],
								 HeapCompatibilityInformation,
								 values, 8, &length)));
		EXPECT_EQ(0, values[0]);
		EXPECT_EQ(77, values[1]);
		EXPECT_EQ(4, length);
		/* I3 */
		KEEPS_ERROR(EXPECT_EQ(TRUE, HeapQueryInformation(heaps[i],
								 HeapCompatibilityInformation,
								 values, 4, NULL)));
	}
}

TEST(I2_buffer_too_short)
{
	HANDLE heap = HeapCreate(0, 0, 0);
	ULONG value = 77;
	SIZE_T length;

	for (SIZE_T n = 0; n < 4; n++) {
		for (int null = 0; null < 2; null++) {
			ULONG *buffer = null ? NULL : &value;
			BOOL done;

			length = 55;
			SETS_ERROR(ERROR_INSUFFICIENT_BUFFER,
				   done = HeapQueryInformation(heap,
							       HeapCompatibilityInformation,
							       buffer, n, &length));
			EXPECT_EQ(FALSE, done);
			EXPECT_EQ(4, length);
			EXPECT_EQ(77, value);
		}
	}
	SETS_ERROR(ERROR_INSUFFICIENT_BUFFER,
		   EXPECT_EQ(FALSE, HeapQueryInformation(heap,
							 HeapCompatibilityInformation,
							 NULL, 0, NULL)));
	SETS_ERROR(ERROR_NOACCESS,
		   EXPECT_EQ(FALSE, HeapQueryInformation(heap,
							 HeapCompatibilityInformation,
							 NULL, 4, NULL)));
	HeapDestroy(heap);
}

TEST(I5_query_without_a_heap)
{
	SIZE_T length = 55;
	ULONG value = 77;
	int local;

	SETS_ERROR(ERROR_NOACCESS,
		   EXPECT_EQ(FALSE, HeapQueryInformation(NULL,
							 HeapCompatibilityInformation, &value, 4,
							 &length)));
	EXPECT_EQ(55, length);
	EXPECT_EQ(77, value);
	SETS_ERROR(ERROR_INVALID_HANDLE,
		   EXPECT_EQ(FALSE, HeapQueryInformation(&local,
							 HeapCompatibilityInformation, &value, 4,
							 &length)));
	EXPECT_EQ(55, length);
}

TEST(I6_unknown_class)
{
	static const int classes[] = { 1, 2, 3, 4, 7, 99, -1 };
	HANDLE heap = HeapCreate(0, 0, 0);
	ULONG value[4] = { 2 };

	for (unsigned int i = 0; i < ARRAY_SIZE(classes); i++)
		SETS_ERROR(ERROR_INVALID_PARAMETER,
			   EXPECT_EQ(FALSE, HeapQueryInformation(heap,
								 classes[i], value, 16, NULL)));
	for (unsigned int i = 0; i < ARRAY_SIZE(classes); i++) {
		if (classes[i] == 1 || classes[i] == 3)
			continue;
		SETS_ERROR(ERROR_INVALID_PARAMETER,
			   EXPECT_EQ(FALSE, HeapSetInformation(heap,
							       classes[i], value, 4)));
	}
	HeapDestroy(heap);
}

TEST(I7_I8_I9_I13_low_fragmentation)
{
	HANDLE heap = HeapCreate(0, 0, 0);
	static const ULONG bad[] = { 3, 4, 0xffffffff };
	void *p = HeapAlloc(heap, 0, 100);

	/* I13 */
	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++)
		SETS_ERROR(ERROR_GEN_FAILURE,
			   EXPECT_EQ(FALSE, set_compatibility(heap, bad[i])));
	EXPECT_EQ(0, compatibility_of(heap));
	KEEPS_ERROR(EXPECT_EQ(TRUE, set_compatibility(heap, 2)));
	EXPECT_EQ(2, compatibility_of(heap));
	/* I8 */
	for (ULONG value = 0; value < 2; value++) {
		SETS_ERROR(ERROR_GEN_FAILURE,
			   EXPECT_EQ(FALSE, set_compatibility(heap, value)));
		EXPECT_EQ(2, compatibility_of(heap));
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++)
		SETS_ERROR(ERROR_GEN_FAILURE,
			   EXPECT_EQ(FALSE, set_compatibility(heap, bad[i])));
	/* I9 */
	KEEPS_ERROR(EXPECT_EQ(TRUE, set_compatibility(heap, 2)));
	EXPECT_EQ(2, compatibility_of(heap));
	EXPECT_EQ(TRUE, HeapFree(heap, 0, p));
	HeapDestroy(heap);
}

TEST(I10_I11_no_low_fragmentation)
{
	HANDLE heaps[] = {
		HeapCreate(HEAP_NO_SERIALIZE, 0, 0), HeapCreate(0, 0, MIB),
		HeapCreate(HEAP_NO_SERIALIZE, 0, MIB),
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(heaps); i++) {
		SETS_ERROR(ERROR_INVALID_PARAMETER,
			   EXPECT_EQ(FALSE, set_compatibility(heaps[i], 2)));
		EXPECT_EQ(0, compatibility_of(heaps[i]));
		HeapDestroy(heaps[i]);
	}
}

TEST(I12_value_too_short)
{
	HANDLE heap = HeapCreate(0, 0, 0);
	ULONG value = 2;

	for (SIZE_T n = 0; n < 4; n++)
		SETS_ERROR(ERROR_INSUFFICIENT_BUFFER,
			   EXPECT_EQ(FALSE, HeapSetInformation(heap,
							       HeapCompatibilityInformation,
							       &value, n)));
	SETS_ERROR(ERROR_NOACCESS,
		   EXPECT_EQ(FALSE, HeapSetInformation(heap,
						       HeapCompatibilityInformation, NULL, 4)));
	SETS_ERROR(ERROR_INVALID_HANDLE,
		   EXPECT_EQ(FALSE, set_compatibility(NULL, 2)));
	EXPECT_EQ(0, compatibility_of(heap));
	HeapDestroy(heap);
}

/* What the parts of I14 do with a heap, in a process of their own. */
enum { DOUBLE_FREE, FOREIGN_FREE, BAD_REALLOC, BAD_SIZE, DAMAGED_WALK, LAST };

static void spoil(int how)
{
	HANDLE heap = HeapCreate(0, 0, 0), other = HeapCreate(0, 0, 0);
	char *p = HeapAlloc(heap, 0, 100), *q = HeapAlloc(heap, 0, 100);
	PROCESS_HEAP_ENTRY entry = { .lpData = NULL };

	switch (how) {
	case DOUBLE_FREE:
		HeapFree(heap, 0, p);
		HeapFree(heap, 0, p);
		break;
	case FOREIGN_FREE:
		HeapFree(other, 0, p);
		break;
	case BAD_REALLOC:
		HeapReAlloc(heap, 0, p + 16, 200);
		break;
	case BAD_SIZE:
		HeapSize(heap, 0, p + 16);
		break;
	case DAMAGED_WALK:
		memset(p, 0xee, q - p);
		while (HeapWalk(heap, &entry))
			;
		break;
	}
}

static int status_of_spoiling(int how, bool terminate)
{
	struct rlimit none = { 0, 0 };
	int status = -1;
	pid_t pid = fork();

	if (!pid) {
		setrlimit(RLIMIT_CORE, &none);
		/* any heap, or none, and no value */
		if (terminate &&
		    !HeapSetInformation(how & 1 ? NULL : GetProcessHeap(),
					HeapEnableTerminationOnCorruption,
					NULL, 0))
			_exit(2);
		spoil(how);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	return status;
}

TEST(I14_termination_on_corruption)
{
	for (int how = 0; how < LAST; how++) {
		int status = status_of_spoiling(how, false);

		EXPECT_EQ(0, status);
		status = status_of_spoiling(how, true);
		EXPECT_TRUE(WIFSIGNALED(status));
		EXPECT_EQ(SIGABRT, WTERMSIG(status));
	}
}

TEST(I14_what_is_no_corruption)
{
	HANDLE heap = HeapCreate(0, 0, 64 * KIB), gone = HeapCreate(0, 0, 0);
	char *p = HeapAlloc(heap, 0, 100), *q = HeapAlloc(heap, 0, 100);
	PROCESS_HEAP_ENTRY entry = { .lpData = p + 1 };

	HeapDestroy(gone);
	KEEPS_ERROR(EXPECT_EQ(TRUE, HeapSetInformation(NULL,
						       HeapEnableTerminationOnCorruption,
						       NULL, 0)));
	KEEPS_ERROR(EXPECT_EQ(TRUE, HeapSetInformation(heap,
						       HeapEnableTerminationOnCorruption,
						       NULL, 0)));
	/* ordinary failures stay what they are, and so does a question */
	EXPECT_EQ(NULL, HeapAlloc(heap, 0, MIB));
	EXPECT_EQ(NULL, HeapReAlloc(heap, 0, p, MIB));
	EXPECT_EQ(NULL, HeapReAlloc(heap, 0, NULL, 10));
	EXPECT_EQ((SIZE_T)-1, HeapSize(heap, 0, NULL));
	EXPECT_EQ(FALSE, HeapValidate(heap, 0, p + 1));
	EXPECT_EQ(FALSE, HeapWalk(heap, &entry));
	EXPECT_EQ(FALSE, HeapFree(gone, 0, p));
	EXPECT_EQ(TRUE, HeapFree(heap, 0, p));
	EXPECT_EQ(TRUE, HeapFree(heap, 0, NULL));
	memset(q, 0xee, 200);
	HeapValidate(heap, 0, NULL);
	/* no heap is destroyed: its data are damaged */
}

/* Words of the heap's header say where it is, and are compared with that. */
TEST(V4_damaged_header)
{
	/* without a lock, of which the header is full as well */
	HANDLE heap = HeapCreate(HEAP_NO_SERIALIZE, 0, 64 * KIB);
	PRIVHEAP_USAGE usage = { .cb = sizeof(usage) };
	HEAP_SUMMARY sum = { .cb = sizeof(sum) };
	PROCESS_HEAP_ENTRY entry;
	uintptr_t *word = heap;
	int found = 0;

	ASSERT_NE(NULL, HeapAlloc(heap, 0, 100));
	for (; word < (uintptr_t *)heap + 4096 / sizeof(*word); word++) {
		if (*word != (uintptr_t)heap)
			continue;
		found++;
		*word += 4096;
		KEEPS_ERROR(EXPECT_EQ(FALSE, HeapValidate(heap, 0, NULL)));
		SETS_ERROR(ERROR_GEN_FAILURE,
			   EXPECT_EQ(0, HeapCompact(heap, 0)));
		SETS_ERROR(ERROR_GEN_FAILURE,
			   EXPECT_EQ(FALSE, HeapSummary(heap, 0, &sum)));
		SETS_ERROR(ERROR_GEN_FAILURE,
			   EXPECT_EQ(FALSE, PrivheapQueryHeap(heap, &usage)));
		entry.lpData = NULL;
		SETS_ERROR(ERROR_GEN_FAILURE,
			   EXPECT_EQ(FALSE, HeapWalk(heap, &entry)));
		*word = (uintptr_t)heap;
	}
	EXPECT_LT(0, found);
	EXPECT_EQ(TRUE, HeapValidate(heap, 0, NULL));
	EXPECT_EQ(TRUE, HeapDestroy(heap));
}

TEST(I15_optimize_resources)
{
	HEAP_OPTIMIZE_RESOURCES_INFORMATION info = { .Version = 1 };
	HANDLE heap = HeapCreate(0, 0, 0);
	char *p = HeapAlloc(heap, 0, 1000);
	int local;

	memset(p, 5, 1000);
	KEEPS_ERROR(EXPECT_EQ(TRUE, HeapSetInformation(heap,
						       HeapOptimizeResources, &info,
						       sizeof(info))));
	KEEPS_ERROR(EXPECT_EQ(TRUE, HeapSetInformation(NULL,
						       HeapOptimizeResources, &info,
						       sizeof(info))));
	/* with a heap held it must not wait for itself */
	HeapLock(heap);
	EXPECT_EQ(TRUE, HeapSetInformation(NULL, HeapOptimizeResources, &info,
					   sizeof(info)));
	EXPECT_EQ(TRUE, HeapUnlock(heap));
	EXPECT_TRUE(all_bytes(p, 5, 1000));
	EXPECT_EQ(TRUE, HeapValidate(heap, 0, NULL));

	SETS_ERROR(ERROR_INVALID_HANDLE,
		   EXPECT_EQ(FALSE, HeapSetInformation(&local,
						       HeapOptimizeResources, &info,
						       sizeof(info))));
	SETS_ERROR(ERROR_INSUFFICIENT_BUFFER,
		   EXPECT_EQ(FALSE, HeapSetInformation(heap,
						       HeapOptimizeResources, &info, 7)));
	info.Flags = 1;
	SETS_ERROR(ERROR_INVALID_PARAMETER,
		   EXPECT_EQ(FALSE, HeapSetInformation(heap,
						       HeapOptimizeResources, &info,
						       sizeof(info))));
	info.Flags = 0;
	info.Version = 2;
	SETS_ERROR(ERROR_INVALID_PARAMETER,
		   EXPECT_EQ(FALSE, HeapSetInformation(heap,
						       HeapOptimizeResources, &info,
						       sizeof(info))));
	HeapDestroy(heap);
}

static atomic_int held;

static void *hold_for_a_while(void *heap)
{
	HeapLock(heap);
	held = 1;
	while (held == 1)
		usleep(1000);
	HeapUnlock(heap);
	return NULL;
}

/* Those that another thread is at work on, or may be, are left alone. */
TEST(I15_all_heaps_but_those_in_use)
{
	HEAP_OPTIMIZE_RESOURCES_INFORMATION info = { .Version = 1 };
	HANDLE heaps[3] = {
		HeapCreate(0, 0, 0), HeapCreate(0, 0, 0),
		HeapCreate(HEAP_NO_SERIALIZE, 0, 0),
	};
	ULONGLONG committed[3];
	pthread_t thread;

	for (int i = 0; i < 3; i++) {
		char *gap = HeapAlloc(heaps[i], 0, 200 * KIB);

		/* less than a heap gives back by itself */
		memset(gap, 1, 200 * KIB);
		ASSERT_NE(NULL, HeapAlloc(heaps[i], 0, 100));
		HeapFree(heaps[i], 0, gap);
		committed[i] = usage_of(heaps[i]).cbCommitted;
	}
	ASSERT_EQ(0, pthread_create(&thread, NULL, hold_for_a_while, heaps[1]));
	while (!held)
		usleep(1000);
	KEEPS_ERROR(EXPECT_EQ(TRUE, HeapSetInformation(NULL,
						       HeapOptimizeResources, &info,
						       sizeof(info))));
	held = 2;
	pthread_join(thread, NULL);
	EXPECT_GE(committed[0] - 190 * KIB, usage_of(heaps[0]).cbCommitted);
	EXPECT_EQ(committed[1], usage_of(heaps[1]).cbCommitted);
	EXPECT_EQ(committed[2], usage_of(heaps[2]).cbCommitted);
	for (int i = 0; i < 3; i++)
		EXPECT_EQ(TRUE, HeapDestroy(heaps[i]));
}

TEST_HARNESS_MAIN

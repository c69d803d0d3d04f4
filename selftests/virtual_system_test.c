// SPDX-License-Identifier: GPL-2.0-only
/*
 * VirtualAlloc() and VirtualFree() where they meet the system: threads, forks,
 * quotas, limits, pages that are pinned.
 */
#include <fcntl.h>
#include <linux/io_uring.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "virtual_selftest.h"

#define LIMIT_FILE	"/sys/module/privheap/parameters/commit_limit"

/* ------------------------------------------------------ many, and at once */

TEST_F(memory, a_thousand_reservations)
{
	static char *all[1000];
	const int count = ARRAY_SIZE(all);

	for (int i = 0; i < count; i++) {
		all[i] = VirtualAlloc(NULL, 65536, MEM_RESERVE, PAGE_READWRITE);
		ASSERT_NE(NULL, all[i]);
		ASSERT_EQ(all[i] + 4096, VirtualAlloc(all[i] + 4096, i % 5 + 1,
						      MEM_COMMIT,
						      PAGE_READWRITE));
		all[i][4096] = i % 100;
	}
	for (int i = 0; i < count; i++) {
		ASSERT_EQ(all[i], info_of(all[i] + 4100).AllocationBase);
		ASSERT_EQ(MEM_COMMIT, info_of(all[i] + 4100).State);
		ASSERT_EQ(MEM_RESERVE, info_of(all[i] + 65535).State);
		ASSERT_EQ(i % 100, all[i][4096]);
	}
	EXPECT_EQ(self->before.regions + count, process_usage().regions);
	/* 7 and 1000 have no common factor */
	for (int i = 0; i < count; i++) {
		char *p = all[i * 7 % count];

		ASSERT_EQ(TRUE, VirtualFree(p, 0, MEM_RELEASE));
		ASSERT_EQ(FALSE, VirtualFree(p, 0, MEM_RELEASE));
	}
}

#define RACE_PAGES	64
#define RACE_ROUNDS	400

static char *race_base;
static char *_Atomic race_slots[8];
static atomic_int race_errors;
static atomic_int race_released;

static unsigned int race_random(unsigned int *state)
{
	*state = *state * 1103515245 + 12345;
	return *state >> 16;
}

#define RACE_CHECK(condition) do {					\
	if (!(condition)) {						\
		atomic_fetch_add(&race_errors, 1);			\
		fprintf(stderr, "# %s, line %d\n", #condition, __LINE__); \
	}								\
} while (0)

/* A reservation that all share: every answer is one that could have been. */
static void race_shared(unsigned int *state, SIZE_T page)
{
	SIZE_T first = race_random(state) % RACE_PAGES;
	SIZE_T count = race_random(state) % (RACE_PAGES - first) + 1;
	char *at = race_base + first * page;
	MEMORY_BASIC_INFORMATION info;

	switch (race_random(state) % 4) {
	case 0:
		RACE_CHECK(VirtualFree(at, count * page, MEM_DECOMMIT));
		break;
	case 1:
		RACE_CHECK(VirtualAlloc(at, count * page, MEM_COMMIT,
					race_random(state) % 2 ? PAGE_READONLY :
					PAGE_READWRITE) == at);
		break;
	default:
		RACE_CHECK(VirtualQuery(at, &info, sizeof(info)));
		RACE_CHECK(info.AllocationBase == race_base);
		RACE_CHECK(info.State == MEM_RESERVE ? !info.Protect :
			   info.State == MEM_COMMIT && info.Protect);
		RACE_CHECK(info.RegionSize && info.RegionSize <=
			   (RACE_PAGES - first) * page);
	}
}

/* Reservations that threads hand to each other: one of them releases each. */
static void race_slot(unsigned int *state, SIZE_T page)
{
	unsigned int slot = race_random(state) % ARRAY_SIZE(race_slots);
	char *mine, *seen = atomic_load(&race_slots[slot]);

	mine = VirtualAlloc(NULL, 3 * page, MEM_COMMIT, PAGE_READWRITE);
	RACE_CHECK(mine && all_bytes(mine, 0, 3 * page));
	memset(mine, 1, 3 * page);
	mine = atomic_exchange(&race_slots[slot], mine);
	if (mine)
		atomic_fetch_add(&race_released,
				 VirtualFree(mine, 0, MEM_RELEASE));
	/* one that another thread may have released, or just reserved anew */
	if (seen) {
		MEMORY_BASIC_INFORMATION info;

		RACE_CHECK(VirtualQuery(seen, &info, sizeof(info)));
		VirtualAlloc(seen, 1, MEM_RESET, PAGE_NOACCESS);
	}
}

static void *race_thread(void *seed)
{
	unsigned int state = (uintptr_t)seed;
	SIZE_T page = sysconf(_SC_PAGESIZE);

	for (int i = 0; i < RACE_ROUNDS; i++) {
		race_shared(&state, page);
		race_slot(&state, page);
	}
	return NULL;
}

TEST_F(memory, threads)
{
	pthread_t threads[4];
	int left = 0;

	race_base = VirtualAlloc(NULL, RACE_PAGES * self->page, MEM_RESERVE,
				 PAGE_READWRITE);
	for (uintptr_t i = 0; i < ARRAY_SIZE(threads); i++)
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, race_thread,
					    (void *)(i + 1)));
	for (unsigned int i = 0; i < ARRAY_SIZE(threads); i++)
		pthread_join(threads[i], NULL);
	EXPECT_EQ(0, atomic_load(&race_errors));

	for (unsigned int i = 0; i < ARRAY_SIZE(race_slots); i++) {
		if (!race_slots[i])
			continue;
		left++;
		EXPECT_EQ(TRUE, VirtualFree(race_slots[i], 0, MEM_RELEASE));
	}
	EXPECT_EQ(ARRAY_SIZE(threads) * RACE_ROUNDS,
		  atomic_load(&race_released) + left);

	/* what the records say is what the region has */
	for (SIZE_T i = 0, committed = 0; i <= RACE_PAGES; i++) {
		if (i == RACE_PAGES) {
			EXPECT_EQ(self->before.committed + committed,
				  process_usage().committed);
			break;
		}
		if (info_of(race_base + i * self->page).State == MEM_COMMIT) {
			committed += self->page;
			EXPECT_EQ(0, read_at(race_base + i * self->page));
		} else {
			EXPECT_EQ(SIGSEGV, read_at(race_base + i * self->page));
		}
	}
	VirtualFree(race_base, 0, MEM_RELEASE);
}

static void *release_thread(void *base)
{
	atomic_fetch_add(&race_released, VirtualFree(base, 0, MEM_RELEASE));
	return NULL;
}

TEST_F(memory, one_release_of_many_wins)
{
	pthread_t threads[4];

	for (int round = 0; round < 50; round++) {
		char *p = VirtualAlloc(NULL, MIB, MEM_COMMIT, PAGE_READWRITE);

		for (unsigned int i = 0; i < ARRAY_SIZE(threads); i++)
			ASSERT_EQ(0, pthread_create(&threads[i], NULL,
						    release_thread, p));
		for (unsigned int i = 0; i < ARRAY_SIZE(threads); i++)
			pthread_join(threads[i], NULL);
		ASSERT_EQ(round + 1, atomic_load(&race_released));
	}
}

/* --------------------------------------------------------- on this system */

TEST_F(memory, a_child_has_no_reservations)
{
	SIZE_T page = self->page;
	char *p = VirtualAlloc(NULL, 8 * page, MEM_COMMIT, PAGE_READWRITE);
	int status;
	pid_t pid;

	memset(p, 6, 8 * page);
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		bool good = true;
		char *q;

		good = good && info_of(p).State == MEM_FREE;
		good = good && !VirtualFree(p, page, MEM_DECOMMIT) &&
		       GetLastError() == ERROR_INVALID_ADDRESS;
		good = good && !VirtualFree(p, 0, MEM_RELEASE) &&
		       GetLastError() == ERROR_INVALID_ADDRESS;
		good = good && !VirtualAlloc(p, page, MEM_COMMIT,
					     PAGE_READWRITE) &&
		       GetLastError() == ERROR_INVALID_ADDRESS;
		q = VirtualAlloc(NULL, MIB, MEM_COMMIT, PAGE_READWRITE);
		good = good && q && all_bytes(q, 0, MIB);
		good = good && info_of(q).RegionSize == MIB;
		good = good && VirtualFree(q, 0, MEM_RELEASE);
		_exit(good ? 0 : 1);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_TRUE(all_bytes(p, 6, 8 * page));
	EXPECT_RUN(p, p, 8 * page, MEM_COMMIT, PAGE_READWRITE);
	EXPECT_EQ(TRUE, VirtualFree(p, 0, MEM_RELEASE));
}

static bool write_file(const char *name, const char *text)
{
	int fd = open(name, O_WRONLY | O_CLOEXEC);
	bool good = fd >= 0 && write(fd, text, strlen(text)) == strlen(text);

	if (fd >= 0)
		close(fd);
	return good;
}

TEST_F(memory, a_quota_refuses)
{
	SIZE_T page = self->page;
	struct privheap_region_info system;
	char old[64] = "", limit[32];
	char *p, *q;
	int fd;

	if (is_anonymous())
		SKIP(return, "anonymous mappings have no quota");
	fd = open(LIMIT_FILE, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		SKIP(return, LIMIT_FILE ": cannot be written");
	ASSERT_LT(0, read(fd, old, sizeof(old) - 1));
	close(fd);

	p = VirtualAlloc(NULL, 64 * MIB, MEM_RESERVE, PAGE_READWRITE);
	VirtualAlloc(p, 4 * page, MEM_COMMIT, PAGE_READONLY);
	ASSERT_EQ(0, privheap_query_system(&system));
	snprintf(limit, sizeof(limit), "%llu",
		 (unsigned long long)system.committed + 8 * MIB);
	ASSERT_TRUE(write_file(LIMIT_FILE, limit));
	ALLOC_FAILS(ERROR_COMMITMENT_LIMIT, p, 9 * MIB, MEM_COMMIT,
		    PAGE_READWRITE);
	EXPECT_EQ(PRIVHEAP_LEVEL_SYSTEM, PrivheapGetDeniedLevel());
	EXPECT_RUN(p, p, 4 * page, MEM_COMMIT, PAGE_READONLY);
	EXPECT_EQ(SIGSEGV, write_at(p));
	ALLOC_FAILS(ERROR_COMMITMENT_LIMIT, NULL, 9 * MIB, MEM_COMMIT,
		    PAGE_READWRITE);
	EXPECT_EQ(PRIVHEAP_LEVEL_SYSTEM, PrivheapGetDeniedLevel());
	q = VirtualAlloc(NULL, 7 * MIB, MEM_COMMIT, PAGE_READWRITE);
	EXPECT_NE(NULL, q);
	EXPECT_TRUE(write_file(LIMIT_FILE, old));
	EXPECT_EQ(TRUE, VirtualFree(q, 0, MEM_RELEASE));
	EXPECT_EQ(p, VirtualAlloc(p, 9 * MIB, MEM_COMMIT, PAGE_READWRITE));
	EXPECT_EQ(TRUE, VirtualFree(p, 0, MEM_RELEASE));
}

/* The most mappings that a process can have; 0: not known. */
static long most_mappings(void)
{
	char text[32] = "";
	int fd = open("/proc/sys/vm/max_map_count", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return 0;
	if (read(fd, text, sizeof(text) - 1) < 0)
		text[0] = '\0';
	close(fd);
	return atol(text);
}

TEST_F(memory, without_a_mapping_to_spare)
{
	SIZE_T page = self->page, length, i;
	long most = most_mappings();
	char *p, *fill;
	BOOL done;

#ifdef __SANITIZE_THREAD__
	SKIP(return, "ThreadSanitizer itself needs mappings");
#endif
	if (most <= 0 || most > 200000)
		SKIP(return, "max_map_count is %ld", most);
	p = VirtualAlloc(NULL, 64 * page, MEM_RESERVE, PAGE_READWRITE);
	VirtualAlloc(p, 32 * page, MEM_COMMIT, PAGE_READWRITE);
	memset(p, 8, 32 * page);

	length = 2 * (most + 2) * page;
	fill = mmap(NULL, length, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS |
		    MAP_NORESERVE, -1, 0);
	ASSERT_NE(MAP_FAILED, fill);
	for (i = page; i < length; i += 2 * page)
		if (mprotect(fill + i, page, PROT_READ))
			break;
	ASSERT_LT(i, length);

	/* it would take two more mappings, and perhaps one is left */
	ALLOC_FAILS(ERROR_NOT_ENOUGH_MEMORY, p + 8 * page, 4 * page, MEM_COMMIT,
		    PAGE_READONLY);
	ALLOC_FAILS(ERROR_NOT_ENOUGH_MEMORY, p + 40 * page, 4 * page, MEM_COMMIT,
		    PAGE_READONLY);
	ALLOC_FAILS(ERROR_NOT_ENOUGH_MEMORY, p + 30 * page, 4 * page, MEM_COMMIT,
		    PAGE_READONLY);
	EXPECT_RUN(p, p, 32 * page, MEM_COMMIT, PAGE_READWRITE);
	EXPECT_RUN(p, p + 32 * page, 32 * page, MEM_RESERVE, 0);
	EXPECT_EQ(self->before.committed + 32 * page, process_usage().committed);
	EXPECT_TRUE(all_bytes(p, 8, 32 * page));
	memset(p, 8, 32 * page);
	EXPECT_EQ(SIGSEGV, read_at(p + 32 * page));

	/* mappings of a region of the module need no splitting for this */
	SetLastError(STALE);
	done = VirtualFree(p + 8 * page, 4 * page, MEM_DECOMMIT);
	EXPECT_EQ(!is_anonymous(), done);
	if (done) {
		EXPECT_RUN(p, p + 8 * page, 4 * page, MEM_RESERVE, 0);
	} else {
		EXPECT_EQ(ERROR_NOT_ENOUGH_MEMORY, GetLastError());
		EXPECT_RUN(p, p, 32 * page, MEM_COMMIT, PAGE_READWRITE);
		EXPECT_TRUE(all_bytes(p, 8, 32 * page));
	}

	ASSERT_EQ(0, munmap(fill, length));
	EXPECT_EQ(p + 8 * page, VirtualAlloc(p + 8 * page, 4 * page, MEM_COMMIT,
					     PAGE_READONLY));
	EXPECT_EQ(TRUE, VirtualFree(p + 8 * page, 4 * page, MEM_DECOMMIT));
	EXPECT_EQ(TRUE, VirtualFree(p, 0, MEM_RELEASE));
}

/* With the module a device can hold pages; then the others go. */
TEST_F(memory, decommit_of_pinned_pages)
{
	SIZE_T page = self->page, committed = 0, i;
	struct io_uring_params params;
	struct iovec buffer;
	char *p;
	int ring;

	if (is_anonymous())
		SKIP(return, "anonymous mappings just forget pages");
	memset(&params, 0, sizeof(params));
	ring = syscall(SYS_io_uring_setup, 4, &params);
	if (ring < 0)
		SKIP(return, "io_uring: %s", strerror(errno));
	p = VirtualAlloc(NULL, 8 * MIB, MEM_COMMIT, PAGE_READWRITE);
	memset(p, 5, 8 * MIB);
	buffer.iov_base = p + 2 * MIB;
	buffer.iov_len = 4 * MIB;
	if (syscall(SYS_io_uring_register, ring, IORING_REGISTER_BUFFERS,
		    &buffer, 1)) {
		VirtualFree(p, 0, MEM_RELEASE);
		SKIP(return, "IORING_REGISTER_BUFFERS: %s", strerror(errno));
	}

	/* large pages cannot be split now, at either end */
	SetLastError(STALE);
	if (VirtualFree(p + 2 * MIB + page, 4 * MIB - 2 * page, MEM_DECOMMIT)) {
		VirtualFree(p, 0, MEM_RELEASE);
		SKIP(return, "no large pages were pinned");
	}
	EXPECT_EQ(ERROR_BUSY, GetLastError());
	for (i = 0; i < 8 * MIB; i += page) {
		bool in = i > 2 * MIB && i < 6 * MIB - page;

		if (info_of(p + i).State == MEM_COMMIT) {
			committed += page;
			ASSERT_TRUE(all_bytes(p + i, in ? 0 : 5, page));
		} else {
			ASSERT_TRUE(in);
			ASSERT_EQ(SIGSEGV, read_at(p + i));
		}
	}
	EXPECT_LT(4 * MIB + 2 * page, committed);
	EXPECT_EQ(self->before.committed + committed, process_usage().committed);

	/* the ring lets go of them some time after it was closed */
	close(ring);
	for (i = 0; i < 6000 && !VirtualFree(p, 0, MEM_DECOMMIT); i++)
		usleep(10000);
	EXPECT_RUN(p, p, 8 * MIB, MEM_RESERVE, 0);
	EXPECT_EQ(TRUE, VirtualFree(p, 0, MEM_RELEASE));
}

TEST_HARNESS_MAIN

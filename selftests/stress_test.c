// SPDX-License-Identifier: GPL-2.0-only
/*
 * Many threads at one region. First against a model that knows every byte,
 * then with all that a program can do to its mapping at the same moment.
 */
#include <pthread.h>
#include <stdio.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "privheap_fixture.h"

#define THREADS		4
#define RESERVE		(16 * MIB)
#define PAGES		(RESERVE / PAGE)

/*
 * The model: pages are dealt out to the threads in turns of uneven length, so
 * that each folio has several owners. A thread alone knows its pages' contents
 * (0: not committed, else the byte + 1), and works on nobody else's.
 */
struct model {
	int fd;
	char *base;
	unsigned int rounds;
	unsigned char owner[PAGES];
	unsigned int content[PAGES];
	bool failed;
};

struct worker {
	struct model *model;
	unsigned int number;
	uint32_t random;
	uint64_t committed;
	char reason[160];
};

#define FAIL(worker, ...) do {						\
	snprintf((worker)->reason, sizeof((worker)->reason), __VA_ARGS__); \
	__atomic_store_n(&(worker)->model->failed, true, __ATOMIC_RELAXED); \
} while (0)

static void deal_out(struct model *model)
{
	static const unsigned int turns[] = { 1, 3, 7, 16, 2, 33, 5, 64, 11 };
	unsigned int page = 0;

	for (unsigned int i = 0; page < PAGES; i++) {
		unsigned int end = page + turns[i % ARRAY_SIZE(turns)];

		for (; page < end && page < PAGES; page++)
			model->owner[page] = i % THREADS;
	}
}

/* A run of the thread's own pages, at most @most long. */
static unsigned int pick(struct worker *worker, unsigned int most,
			 unsigned int *count)
{
	struct model *model = worker->model;
	unsigned int page, end;

	do {
		page = ph_random(&worker->random) % PAGES;
	} while (model->owner[page] != worker->number);
	end = page + 1;
	while (end < PAGES && end - page < most &&
	       model->owner[end] == worker->number)
		end++;
	*count = end - page;
	return page;
}

static bool check_page(struct worker *worker, unsigned int page)
{
	struct model *model = worker->model;
	char *at = model->base + page * PAGE;
	unsigned int expected = model->content[page];
	unsigned int offset = ph_random(&worker->random) % PAGE;

	if (!expected) {
		if (ph_read(at + offset) != SIGSEGV) {
			FAIL(worker, "page %u can be read", page);
			return false;
		}
		if (ph_fault_address != at + offset) {
			FAIL(worker, "fault at %p, not %p", ph_fault_address,
			     at + offset);
			return false;
		}
		return true;
	}
	if (!ph_all(at, PAGE, expected - 1)) {
		FAIL(worker, "page %u is not all %u", page, expected - 1);
		return false;
	}
	return true;
}

static void *work(void *argument)
{
	struct worker *worker = argument;
	struct model *model = worker->model;
	char *base = model->base;
	unsigned int page, count;
	int ret;

	for (unsigned int i = 0; i < model->rounds && !model->failed; i++) {
		page = pick(worker, 64, &count);
		switch (ph_random(&worker->random) % 8) {
		case 0:
		case 1:
			ret = ph_commit(model->fd, base, page * PAGE,
					count * PAGE, i % 4 ? 0 :
					PRIVHEAP_COMMIT_POPULATE);
			if (ret)
				FAIL(worker, "COMMIT: %s", strerror(-ret));
			for (unsigned int j = page; j < page + count; j++) {
				if (!model->content[j]) {
					model->content[j] = 1;
					worker->committed += PAGE;
				}
			}
			break;
		case 2:
		case 3:
			ret = ph_decommit(model->fd, base, page * PAGE,
					  count * PAGE);
			/* Another thread's fault may hold a folio. */
			if (ret == -EBUSY)
				FAIL(worker, "DECOMMIT stays busy");
			else if (ret)
				FAIL(worker, "DECOMMIT: %s", strerror(-ret));
			for (unsigned int j = page; j < page + count; j++) {
				if (model->content[j]) {
					model->content[j] = 0;
					worker->committed -= PAGE;
				}
			}
			break;
		case 4:
			/* Below what is committed, or of a size that has all. */
			ret = ph_grow(model->fd, base, 0, 0);
			if (ret)
				FAIL(worker, "GROW: %s", strerror(-ret));
			break;
		default:
			for (unsigned int j = page; j < page + count; j++) {
				if (!check_page(worker, j))
					break;
				if (model->content[j] && j % 3) {
					unsigned int value = i % 255 + 1;

					memset(base + j * PAGE, value, PAGE);
					/* As a char that compares equal. */
					model->content[j] = value + 1;
				}
			}
		}
	}
	for (page = 0; page < PAGES && !model->failed; page++)
		if (model->owner[page] == worker->number)
			check_page(worker, page);
	return NULL;
}

TEST_F_TIMEOUT(privheap, threads_against_a_model, 300)
{
	static struct model model;
	struct worker workers[THREADS];
	pthread_t threads[THREADS];
	struct privheap_query query;
	uint64_t committed = 0;

	model.fd = self->fd;
	model.rounds = 1500;
	deal_out(&model);
	ASSERT_EQ(0, ph_create(self->fd, RESERVE, 0, 0, &model.base));
	memset(workers, 0, sizeof(workers));
	for (unsigned int i = 0; i < THREADS; i++) {
		workers[i].model = &model;
		workers[i].number = i;
		workers[i].random = 88172645 + i;
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, work,
					    &workers[i]));
	}
	for (unsigned int i = 0; i < THREADS; i++) {
		ASSERT_EQ(0, pthread_join(threads[i], NULL));
		EXPECT_STREQ("", workers[i].reason);
		committed += workers[i].committed;
	}
	query = ph_region(self->fd, model.base);
	EXPECT_EQ(committed, query.out_committed);
	EXPECT_GE(query.out_committed, query.out_resident);
	EXPECT_EQ(0, ph_decommit(self->fd, model.base, 0, RESERVE));
	EXPECT_USAGE(self->fd, model.base, 0, 0);
}

/* All threads touch the same new pages at once: each page is there once. */
#define CROWD	(1024 * PAGE)

struct crowd {
	char *base;
	pthread_barrier_t barrier;
	unsigned int rounds;
};

static void *touch_in_crowd(void *argument)
{
	struct crowd *crowd = argument;

	for (unsigned int round = 0; round < crowd->rounds; round++) {
		pthread_barrier_wait(&crowd->barrier);
		for (unsigned int page = 0; page < CROWD / PAGE; page++)
			__atomic_fetch_add((int *)(crowd->base + page * PAGE), 1,
					   __ATOMIC_RELAXED);
		pthread_barrier_wait(&crowd->barrier);
	}
	return NULL;
}

TEST_F_TIMEOUT(privheap, threads_touch_the_same_pages, 300)
{
	struct crowd crowd = { .rounds = 12 };
	pthread_t threads[THREADS];
	unsigned int wrong = 0;

	ASSERT_EQ(0, ph_create(self->fd, CROWD, CROWD,
			       PRIVHEAP_CREATE_LAZY, &crowd.base));
	ASSERT_EQ(0, pthread_barrier_init(&crowd.barrier, NULL, THREADS + 1));
	for (unsigned int i = 0; i < THREADS; i++) {
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, touch_in_crowd,
					    &crowd));
	}
	for (unsigned int round = 0; round < crowd.rounds; round++) {
		pthread_barrier_wait(&crowd.barrier);
		pthread_barrier_wait(&crowd.barrier);
		EXPECT_EQ(CROWD, ph_resident(self->fd, crowd.base));
		for (unsigned int page = 0; page < CROWD / PAGE; page++)
			wrong += *(int *)(crowd.base + page * PAGE) != THREADS;
		EXPECT_EQ(0, ph_decommit(self->fd, crowd.base, 0, CROWD));
		EXPECT_USAGE(self->fd, crowd.base, 0, 0);
		EXPECT_EQ(0, ph_grow(self->fd, crowd.base, CROWD, 0));
	}
	for (unsigned int i = 0; i < THREADS; i++) {
		ASSERT_EQ(0, pthread_join(threads[i], NULL));
	}
	/* An update that was lost went to a page that was thrown away. */
	EXPECT_EQ(0, wrong);
}

/*
 * Anything at any moment. The base may be unmapped and come again as another
 * region; results are not looked at, only that nothing breaks and all comes
 * back. The kernel's log is watched by those who run this.
 */
#define CHAOS_RESERVE	(8 * MIB)

static char *chaos_base;
static char *chaos_target;	/* addresses that nobody needs */
static int chaos_fd;

static char *take_base(void)
{
	return __atomic_load_n(&chaos_base, __ATOMIC_ACQUIRE);
}

static void random_range(uint32_t *random, uint64_t *offset, uint64_t *length)
{
	*offset = ph_random(random) % (CHAOS_RESERVE / PAGE) * PAGE;
	*length = (1 + ph_random(random) % ((CHAOS_RESERVE - *offset) / PAGE)) *
		  PAGE;
	if (ph_random(random) % 2 && *length > 16 * PAGE)
		*length = 16 * PAGE;
}

static void touch_some(char *base, uint64_t offset, uint64_t length, bool write)
{
	for (uint64_t at = offset; at < offset + length; at += 3 * PAGE) {
		if (write ? ph_write(base + at, 1) : ph_read(base + at))
			break;
	}
}

static void renew(char *old, bool by_munmap)
{
	char *base;

	if (by_munmap)
		munmap(old, CHAOS_RESERVE);
	else
		ph_destroy(chaos_fd, old);
	if (!ph_create(chaos_fd, CHAOS_RESERVE, MIB, PRIVHEAP_CREATE_LAZY, &base))
		__atomic_store_n(&chaos_base, base, __ATOMIC_RELEASE);
}

static void *chaos(void *argument)
{
	static const int advices[] = {
		MADV_DONTNEED, MADV_WILLNEED, MADV_DOFORK, MADV_DONTFORK,
		MADV_COLD, MADV_PAGEOUT, MADV_REMOVE, MADV_POPULATE_WRITE,
		MADV_HUGEPAGE, MADV_NOHUGEPAGE, MADV_RANDOM,
	};
	uint32_t random = 362436069 + (uintptr_t)argument * 7919;
	struct privheap_query query;
	uint64_t offset, length;

	for (int i = 0; i < 400; i++) {
		char *base = take_base();
		unsigned int what = ph_random(&random) % 20;
		pid_t child;

		random_range(&random, &offset, &length);
		switch (what) {
		case 0: case 1: case 2:
			touch_some(base, offset, length, true);
			break;
		case 3:
			touch_some(base, offset, length, false);
			break;
		case 4: case 5:
			ph_commit(chaos_fd, base, offset, length, 0);
			break;
		case 6:
			ph_commit(chaos_fd, base, offset, length,
				  PRIVHEAP_COMMIT_POPULATE);
			break;
		case 7:
			ph_grow(chaos_fd, base, offset, 0);
			break;
		case 8: case 9:
			ph_decommit(chaos_fd, base, offset, length);
			break;
		case 10:
			mprotect(base + offset, length, i % 2 ? PROT_READ :
				 PROT_READ | PROT_WRITE);
			break;
		case 11: case 12:
			madvise(base + offset, length, advices[i %
				ARRAY_SIZE(advices)]);
			break;
		case 13:
			mremap(base + offset, length, length, MREMAP_MAYMOVE |
			       MREMAP_FIXED, chaos_target + offset);
			break;
		case 14:
			mremap(base, CHAOS_RESERVE, 2 * CHAOS_RESERVE,
			       MREMAP_MAYMOVE);
			break;
		case 15:
			child = fork();
			if (!child) {
				ph_read(base + offset);
				_exit(0);
			}
			if (child > 0)
				waitpid(child, NULL, 0);
			break;
		case 16:
			munmap(base + offset, length);
			break;
		case 17:
			ph_query(chaos_fd, base, 0, &query);
			ph_query(chaos_fd, NULL, PRIVHEAP_QUERY_PROCESS, &query);
			break;
		case 18:
			if (i % 4)
				mlock(base + offset, length);
			else
				mlockall(MCL_CURRENT);
			munlock(base, CHAOS_RESERVE);
			break;
		default:
			renew(base, i % 2);
		}
	}
	return NULL;
}

static void run_chaos(int fd)
{
	pthread_t threads[THREADS];

	chaos_fd = fd;
	chaos_target = mmap(NULL, CHAOS_RESERVE, PROT_NONE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (ph_create(fd, CHAOS_RESERVE, MIB, 0, &chaos_base))
		_exit(1);
	for (uintptr_t i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, chaos, (void *)i))
			_exit(2);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	_exit(0);
}

TEST_F_TIMEOUT(privheap, anything_at_any_moment, 300)
{
	pid_t child = fork();

	ASSERT_LE(0, child);
	if (!child)
		run_chaos(self->fd);
	EXPECT_EXITED(0, child);
	EXPECT_TRUE(PH_WAIT_FOR(ph_system_is(self->fd, &self->system)));
}

/* The same, and the process is killed in the middle of it. */
TEST_F_TIMEOUT(privheap, killed_at_any_moment, 300)
{
	uint32_t random = 521288629;

	for (int round = 0; round < 10; round++) {
		pid_t child = fork();

		ASSERT_LE(0, child);
		if (!child)
			run_chaos(self->fd);
		ph_sleep_ms(20 + ph_random(&random) % 100);
		kill(child, SIGKILL);
		ASSERT_EQ(child, waitpid(child, NULL, 0));
	}
	EXPECT_TRUE(PH_WAIT_FOR(ph_system_is(self->fd, &self->system)));
}

TEST_HARNESS_MAIN

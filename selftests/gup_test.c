// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory of a region in the hands of others: devices by O_DIRECT and io_uring,
 * other processes, pipes, futexes; and DECOMMIT of what they hold.
 */
#include <linux/futex.h>
#include <linux/io_uring.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>

#include "privheap_fixture.h"

#ifndef O_DIRECT
#define O_DIRECT	040000
#endif

/* A folio of 16 pages that no larger one hides. */
#define FOLIO		(16 * PAGE)

static void fill(char *at, uint64_t length, uint32_t seed)
{
	for (uint64_t i = 0; i < length; i++)
		at[i] = (seed + i / 7 + i / PAGE) % 251;
}

static bool is_filled(const char *at, uint64_t length, uint32_t seed)
{
	for (uint64_t i = 0; i < length; i++)
		if (at[i] != (char)((seed + i / 7 + i / PAGE) % 251))
			return false;
	return true;
}

/* A file that takes O_DIRECT: on the scratch disk, if there is one. */
static int open_direct(void)
{
	static const char * const places[] = { "/scratch", "/var/tmp", "." };
	char name[64];
	int fd;

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		snprintf(name, sizeof(name), "%s/privheap-gup-%d", places[i],
			 getpid());
		fd = open(name, O_RDWR | O_CREAT | O_TRUNC | O_DIRECT | O_CLOEXEC,
			  0600);
		if (fd >= 0) {
			unlink(name);
			return fd;
		}
	}
	return -1;
}

TEST_F(privheap, direct_io_both_ways)
{
	const uint64_t length = 4 * MIB + 5 * PAGE;
	char *from, *to;
	int file = open_direct();

	if (file < 0)
		SKIP(return, "no file system with O_DIRECT (run with --scratch)");
	ASSERT_EQ(0, ph_create(self->fd, 8 * MIB, length, PRIVHEAP_CREATE_LAZY,
			       &from));
	ASSERT_EQ(0, ph_create(self->fd, 8 * MIB, length, PRIVHEAP_CREATE_LAZY,
			       &to));
	fill(from, length, 3);
	ASSERT_EQ(length, pwrite(file, from, length, 0));
	/* The device writes to pages that nobody has touched. */
	EXPECT_EQ(0, ph_resident(self->fd, to));
	ASSERT_EQ(length, pread(file, to, length, 0));
	EXPECT_EQ(length, ph_resident(self->fd, to));
	EXPECT_TRUE(is_filled(to, length, 3));
	EXPECT_TRUE(is_filled(from, length, 3));
	/* Nobody holds a page any more. */
	EXPECT_EQ(0, ph_decommit(self->fd, to, 3 * PAGE, PAGE));
	EXPECT_EQ(0, ph_decommit(self->fd, from, 2 * MIB + 9 * PAGE, PAGE));
	close(file);
}

TEST_F(privheap, direct_io_beyond_the_commit)
{
	char *base;
	int file = open_direct();

	if (file < 0)
		SKIP(return, "no file system with O_DIRECT (run with --scratch)");
	ASSERT_EQ(0, ph_create(self->fd, MIB, 4 * PAGE, 0, &base));
	fill(base, 4 * PAGE, 1);
	EXPECT_EQ(-1, pwrite(file, base + 8 * PAGE, 4 * PAGE, 0));
	EXPECT_EQ(EFAULT, errno);
	ASSERT_EQ(4 * PAGE, pwrite(file, base, 4 * PAGE, 0));
	EXPECT_EQ(-1, pread(file, base + 8 * PAGE, PAGE, 0));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_USAGE(self->fd, base, 4 * PAGE, 4 * PAGE);
	close(file);
}

/* System calls that copy get EFAULT, and take no pages. */
TEST_F(privheap, copying_beyond_the_commit)
{
	char *base, c = 0;
	int pipes[2];

	ASSERT_EQ(0, pipe(pipes));
	ASSERT_EQ(0, ph_create(self->fd, MIB, PAGE, PRIVHEAP_CREATE_LAZY, &base));
	EXPECT_EQ(-1, write(pipes[1], base + PAGE, 1));
	EXPECT_EQ(EFAULT, errno);
	ASSERT_EQ(1, write(pipes[1], &c, 1));
	EXPECT_EQ(-1, read(pipes[0], base + PAGE, 1));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_USAGE(self->fd, base, PAGE, 0);
	/* Up to the last byte of the commit it works, on untouched pages. */
	ASSERT_EQ(1, write(pipes[1], base + PAGE - 1, 1));
	EXPECT_EQ(1, read(pipes[0], base + PAGE - 1, 1));
	EXPECT_USAGE(self->fd, base, PAGE, PAGE);
}

static int uring_setup(unsigned int entries)
{
	struct io_uring_params params;

	memset(&params, 0, sizeof(params));
	return syscall(SYS_io_uring_setup, entries, &params);
}

static int uring_register(int ring, unsigned int what, void *arg,
			  unsigned int count)
{
	return syscall(SYS_io_uring_register, ring, what, arg, count);
}

/* How often this thread has gone to sleep. */
static long voluntary_switches(void)
{
	struct rusage usage;

	return getrusage(RUSAGE_THREAD, &usage) ? -1 : usage.ru_nvcsw;
}

/*
 * Registered buffers are pinned: large folios in them cannot be split. Pages
 * there are zeroed and stay, the rest goes; after the pin all goes.
 */
TEST_F(privheap, decommit_of_a_pinned_folio)
{
	struct privheap_decommit arg = { .size = sizeof(arg) };
	struct iovec buffer;
	uint64_t committed;
	char *base;
	long sleeps;
	int ring;

	ring = uring_setup(4);
	if (ring < 0)
		SKIP(return, "io_uring: %s", strerror(errno));
	ASSERT_EQ(0, ph_create(self->fd, 64 * PAGE, 0, 0, &base));
	if (!(ph_region(self->fd, base).out_features & PRIVHEAP_FEATURE_HUGE))
		SKIP(return, "no large folios on this machine");
	/* Four folios; the second one is pinned. */
	for (int i = 0; i < 4; i++) {
		ASSERT_EQ(0, ph_commit(self->fd, base, i * FOLIO, FOLIO,
				       PRIVHEAP_COMMIT_POPULATE));
	}
	memset(base, 5, 4 * FOLIO);
	buffer.iov_base = base + FOLIO;
	buffer.iov_len = FOLIO;
	if (uring_register(ring, IORING_REGISTER_BUFFERS, &buffer, 1))
		SKIP(return, "IORING_REGISTER_BUFFERS: %s", strerror(errno));

	/* A part of the pinned folio. */
	arg.base = TO_BASE(base);
	arg.offset = FOLIO + 4 * PAGE;
	arg.length = 2 * PAGE;
	arg.out_committed = 12345;
	sleeps = voluntary_switches();
	EXPECT_EQ(-EBUSY, ph_ioctl(self->fd, PRIVHEAP_IOC_DECOMMIT, &arg));
	EXPECT_EQ(12345, arg.out_committed);
	/* A pin is nothing to wait for, unlike those who hold a folio for a moment. */
	EXPECT_GT(sleeps + 4, voluntary_switches());
	EXPECT_USAGE(self->fd, base, 4 * FOLIO, 4 * FOLIO);
	EXPECT_TRUE(ph_zero(base + FOLIO + 4 * PAGE, 2 * PAGE));
	EXPECT_TRUE(ph_all(base, FOLIO + 4 * PAGE, 5));
	EXPECT_TRUE(ph_all(base + FOLIO + 6 * PAGE, 2 * FOLIO + 10 * PAGE, 5));

	/* From a free folio into it: the free one's pages go. */
	EXPECT_EQ(-EBUSY, ph_decommit(self->fd, base, 8 * PAGE, FOLIO));
	EXPECT_USAGE(self->fd, base, 4 * FOLIO - 8 * PAGE, 4 * FOLIO - 8 * PAGE);
	EXPECT_NO_READ(base + 8 * PAGE);
	EXPECT_NO_READ(base + FOLIO - 1);
	EXPECT_TRUE(ph_zero(base + FOLIO, 6 * PAGE));
	EXPECT_TRUE(ph_all(base + FOLIO + 8 * PAGE, 8 * PAGE, 5));
	EXPECT_TRUE(ph_all(base, 8 * PAGE, 5));

	/* From it into a free one. */
	EXPECT_EQ(-EBUSY, ph_decommit(self->fd, base, FOLIO + 12 * PAGE, FOLIO));
	committed = 4 * FOLIO - 8 * PAGE - 12 * PAGE;
	EXPECT_USAGE(self->fd, base, committed, committed);
	EXPECT_TRUE(ph_zero(base + FOLIO + 12 * PAGE, 4 * PAGE));
	EXPECT_NO_READ(base + 2 * FOLIO);
	EXPECT_TRUE(ph_all(base + 2 * FOLIO + 12 * PAGE, FOLIO + 4 * PAGE, 5));

	/* The pin has gone: all of it goes. */
	ASSERT_EQ(0, uring_register(ring, IORING_UNREGISTER_BUFFERS, NULL, 0));
	ASSERT_TRUE(PH_WAIT_FOR(!ph_decommit(self->fd, base, FOLIO + 4 * PAGE,
					     2 * PAGE)));
	committed -= 2 * PAGE;
	EXPECT_USAGE(self->fd, base, committed, committed);
	EXPECT_EQ(0, ph_decommit(self->fd, base, 0, 4 * FOLIO));
	EXPECT_USAGE(self->fd, base, 0, 0);
	close(ring);
}

/* All of a pinned folio goes: it need not be split. */
TEST_F(privheap, decommit_of_a_whole_pinned_folio)
{
	struct iovec buffer;
	char *base;
	int ring;

	ring = uring_setup(4);
	if (ring < 0)
		SKIP(return, "io_uring: %s", strerror(errno));
	ASSERT_EQ(0, ph_create(self->fd, 64 * PAGE, 16 * PAGE, 0, &base));
	memset(base, 5, FOLIO);
	buffer.iov_base = base;
	buffer.iov_len = FOLIO;
	if (uring_register(ring, IORING_REGISTER_BUFFERS, &buffer, 1))
		SKIP(return, "IORING_REGISTER_BUFFERS: %s", strerror(errno));
	EXPECT_EQ(0, ph_decommit(self->fd, base, 0, FOLIO));
	EXPECT_USAGE(self->fd, base, 0, 0);
	EXPECT_NO_READ(base);
	/* What comes next is new, and not what the ring still holds. */
	ASSERT_EQ(0, ph_grow(self->fd, base, FOLIO, 0));
	EXPECT_TRUE(ph_zero(base, FOLIO));
	/* The region may end before the pin does. */
	EXPECT_EQ(0, ph_destroy(self->fd, base));
	close(ring);
}

/* A ring that reads into a registered buffer, by the raw system calls. */
TEST_F(privheap, io_uring_fixed_buffer)
{
	struct io_uring_params params;
	struct io_uring_sqe *sqes;
	struct io_uring_cqe *cqe;
	struct iovec buffer;
	char *base, *sq, *cq;
	int ring, file, ret;

	memset(&params, 0, sizeof(params));
	ring = syscall(SYS_io_uring_setup, 4, &params);
	if (ring < 0)
		SKIP(return, "io_uring: %s", strerror(errno));
	file = open_direct();
	if (file < 0)
		SKIP(return, "no file system with O_DIRECT (run with --scratch)");
	ASSERT_EQ(0, ph_create(self->fd, 4 * MIB, MIB, PRIVHEAP_CREATE_LAZY,
			       &base));
	fill(base + MIB / 2, MIB / 2, 17);
	ASSERT_EQ(MIB / 2, pwrite(file, base + MIB / 2, MIB / 2, 0));

	buffer.iov_base = base;
	buffer.iov_len = MIB / 2;
	ret = uring_register(ring, IORING_REGISTER_BUFFERS, &buffer, 1);
	if (ret)
		SKIP(return, "IORING_REGISTER_BUFFERS: %s", strerror(errno));
	EXPECT_EQ(MIB, ph_resident(self->fd, base));

	sq = mmap(NULL, params.sq_off.array + params.sq_entries * sizeof(__u32),
		  PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_SQ_RING);
	cq = mmap(NULL, params.cq_off.cqes + params.cq_entries * sizeof(*cqe),
		  PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_CQ_RING);
	sqes = mmap(NULL, params.sq_entries * sizeof(*sqes),
		    PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_SQES);
	ASSERT_NE(MAP_FAILED, sq);
	ASSERT_NE(MAP_FAILED, cq);
	ASSERT_NE(MAP_FAILED, sqes);

	memset(&sqes[0], 0, sizeof(sqes[0]));
	sqes[0].opcode = IORING_OP_READ_FIXED;
	sqes[0].fd = file;
	sqes[0].addr = TO_BASE(base);
	sqes[0].len = MIB / 2;
	*(__u32 *)(sq + params.sq_off.array) = 0;
	__atomic_store_n((__u32 *)(sq + params.sq_off.tail), 1, __ATOMIC_RELEASE);
	ASSERT_EQ(1, syscall(SYS_io_uring_enter, ring, 1, 1,
			     IORING_ENTER_GETEVENTS, NULL, 0));
	ASSERT_EQ(1, __atomic_load_n((__u32 *)(cq + params.cq_off.tail),
				     __ATOMIC_ACQUIRE));
	cqe = (struct io_uring_cqe *)(cq + params.cq_off.cqes);
	EXPECT_EQ(MIB / 2, cqe->res);
	EXPECT_TRUE(is_filled(base, MIB / 2, 17));

	/* Killed with buffers registered is the ring's problem. */
	EXPECT_EQ(0, ph_destroy(self->fd, base));
	close(ring);
	close(file);
}

/* What a page is to others: read and written from another process. */
TEST_F(privheap, process_vm_readv_and_writev)
{
	char *base, local[3 * PAGE];
	struct iovec here = { local, sizeof(local) }, there;
	int down[2], up[2];
	pid_t child;
	char c;

	ASSERT_EQ(0, pipe(down));
	ASSERT_EQ(0, pipe(up));
	child = fork();
	ASSERT_LE(0, child);
	if (!child) {
		if (ph_create(self->fd, MIB, 8 * PAGE, PRIVHEAP_CREATE_LAZY,
			      &base))
			_exit(1);
		fill(base, 2 * PAGE, 40);
		if (write(up[1], &base, sizeof(base)) != sizeof(base) ||
		    read(down[0], &c, 1) != 1)
			_exit(2);
		/* One of the pages had never been touched. */
		if (!is_filled(base + PAGE, 3 * PAGE, 50))
			_exit(3);
		if (ph_resident(self->fd, base) != 4 * PAGE)
			_exit(4);
		_exit(0);
	}
	ASSERT_EQ(sizeof(base), read(up[0], &base, sizeof(base)));
	there.iov_base = base;
	there.iov_len = 2 * PAGE;
	EXPECT_EQ(2 * PAGE, process_vm_readv(child, &here, 1, &there, 1, 0));
	EXPECT_TRUE(is_filled(local, 2 * PAGE, 40));

	fill(local, 3 * PAGE, 50);
	there.iov_base = base + PAGE;
	there.iov_len = 3 * PAGE;
	EXPECT_EQ(3 * PAGE, process_vm_writev(child, &here, 1, &there, 1, 0));
	/* Beyond the commit nobody gets anything. */
	there.iov_base = base + 8 * PAGE;
	there.iov_len = PAGE;
	EXPECT_EQ(-1, process_vm_readv(child, &here, 1, &there, 1, 0));
	EXPECT_EQ(EFAULT, errno);
	ASSERT_EQ(1, write(down[1], "x", 1));
	EXPECT_EXITED(0, child);
}

TEST_F(privheap, ptrace_and_proc_mem)
{
	char *base, path[64], text[16] = "";
	int up[2], mem, status;
	pid_t child;

	ASSERT_EQ(0, pipe(up));
	child = fork();
	ASSERT_LE(0, child);
	if (!child) {
		if (ph_create(self->fd, MIB, 8 * PAGE, 0, &base))
			_exit(1);
		strcpy(base + 100, "in the heap");
		if (write(up[1], &base, sizeof(base)) != sizeof(base))
			_exit(2);
		raise(SIGSTOP);
		_exit(base[200] == 'x' && base[3 * PAGE] == 'y' ? 0 : 3);
	}
	ASSERT_EQ(sizeof(base), read(up[0], &base, sizeof(base)));
	ASSERT_EQ(child, waitpid(child, &status, WUNTRACED));
	ASSERT_EQ(0, ptrace(PTRACE_SEIZE, child, NULL, NULL));
	ASSERT_EQ(0, ptrace(PTRACE_INTERRUPT, child, NULL, NULL));
	ASSERT_EQ(child, waitpid(child, &status, 0));

	errno = 0;
	*(long *)text = ptrace(PTRACE_PEEKDATA, child, base + 100, NULL);
	EXPECT_EQ(0, errno);
	EXPECT_EQ(0, memcmp(text, "in the heap", sizeof(long)));
	EXPECT_EQ(0, ptrace(PTRACE_POKEDATA, child, base + 200, (void *)'x'));
	errno = 0;
	ptrace(PTRACE_PEEKDATA, child, base + 8 * PAGE, NULL);
	EXPECT_EQ(EIO, errno);

	snprintf(path, sizeof(path), "/proc/%d/mem", child);
	mem = open(path, O_RDWR);
	ASSERT_LE(0, mem);
	EXPECT_EQ(12, pread(mem, text, 12, TO_BASE(base) + 100));
	EXPECT_STREQ("in the heap", text);
	EXPECT_EQ(1, pwrite(mem, "y", 1, TO_BASE(base) + 3 * PAGE));
	EXPECT_EQ(-1, pread(mem, text, 1, TO_BASE(base) + 8 * PAGE));
	close(mem);
	ASSERT_EQ(0, ptrace(PTRACE_DETACH, child, NULL, NULL));
	kill(child, SIGCONT);
	EXPECT_EXITED(0, child);
}

/* Has a new pipe hold these pages; returns how many bytes it took. */
static ssize_t hold_in_pipe(int pipes[2], char *base, size_t length)
{
	struct iovec part = { base, length };

	return pipe(pipes) ? -1 : vmsplice(pipes[1], &part, 1, 0);
}

TEST_F(privheap, vmsplice_holds_pages)
{
	char *base, copy[4 * PAGE];
	int pipes[2];

	ASSERT_EQ(0, ph_create(self->fd, MIB, 16 * PAGE, PRIVHEAP_CREATE_LAZY,
			       &base));
	fill(base, 4 * PAGE, 60);
	ASSERT_EQ(4 * PAGE, hold_in_pipe(pipes, base, 4 * PAGE));
	/* The pipe keeps the pages; the region does not wait for it. */
	ASSERT_EQ(0, ph_destroy(self->fd, base));
	EXPECT_TRUE(ph_system_is(self->fd, &self->system));
	EXPECT_EQ(4 * PAGE, read(pipes[0], copy, 4 * PAGE));
}

/* A pipe's hold is no pin: it is waited for, a moment, and then is as one. */
TEST_F(privheap, decommit_of_a_folio_in_a_pipe)
{
	char *base, copy[4 * PAGE];
	int pipes[2];

	ASSERT_EQ(0, ph_create(self->fd, 64 * PAGE, 16 * PAGE, 0, &base));
	if (!(ph_region(self->fd, base).out_features & PRIVHEAP_FEATURE_HUGE))
		SKIP(return, "no large folios on this machine");
	memset(base, 5, FOLIO);
	ASSERT_EQ(4 * PAGE, hold_in_pipe(pipes, base, 4 * PAGE));
	EXPECT_EQ(-EBUSY, ph_decommit(self->fd, base, 8 * PAGE, 4 * PAGE));
	EXPECT_USAGE(self->fd, base, FOLIO, FOLIO);
	EXPECT_TRUE(ph_zero(base + 8 * PAGE, 4 * PAGE));
	EXPECT_TRUE(ph_all(base, 8 * PAGE, 5));
	EXPECT_EQ(4 * PAGE, read(pipes[0], copy, 4 * PAGE));
	EXPECT_TRUE(ph_all(copy, 4 * PAGE, 5));
	EXPECT_EQ(0, ph_decommit(self->fd, base, 8 * PAGE, 4 * PAGE));
	EXPECT_USAGE(self->fd, base, FOLIO - 4 * PAGE, FOLIO - 4 * PAGE);
}

static void *wait_for_futex(void *argument)
{
	__u32 *word = argument;
	struct timespec limit = { .tv_sec = 30 };

	/* Not FUTEX_PRIVATE: the kernel looks for the page behind it. */
	while (!__atomic_load_n(word, __ATOMIC_ACQUIRE))
		if (syscall(SYS_futex, word, FUTEX_WAIT, 0, &limit, NULL, 0) &&
		    errno != EAGAIN && errno != EINTR)
			return (void *)(uintptr_t)errno;
	return NULL;
}

TEST_F(privheap, shared_futex)
{
	pthread_t threads[3];
	int woken = 0;
	__u32 *word;
	char *base;
	void *ret;

	ASSERT_EQ(0, ph_create(self->fd, 4 * MIB, 4 * MIB, 0, &base));
	word = (__u32 *)(base + 3 * MIB + 5 * PAGE + 64);
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++) {
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, wait_for_futex,
					    word));
	}
	ph_sleep_ms(200);
	__atomic_store_n(word, 1, __ATOMIC_RELEASE);
	woken = syscall(SYS_futex, word, FUTEX_WAKE, 10, NULL, NULL, 0);
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++) {
		ASSERT_EQ(0, pthread_join(threads[i], &ret));
		EXPECT_EQ(NULL, ret);
	}
	/* As good as always all of them sleep by then. */
	EXPECT_LE(1, woken);
	/* On what is not committed: an error, not a hang. */
	EXPECT_EQ(0, ph_decommit(self->fd, base, 0, 4 * MIB));
	EXPECT_EQ(-1, syscall(SYS_futex, word, FUTEX_WAKE, 1, NULL, NULL, 0));
	EXPECT_EQ(EFAULT, errno);
}

TEST_HARNESS_MAIN

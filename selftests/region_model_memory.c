// SPDX-License-Identifier: GPL-2.0-only
/* Random touches, and system calls on a region's memory. */
#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>

#include "privheap_selftest.h"
#include "region_model.h"

#ifndef MADV_COLD
#define MADV_COLD		20
#define MADV_PAGEOUT		21
#endif
#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ	22
#define MADV_POPULATE_WRITE	23
#endif

static sigjmp_buf fault_jump;
static volatile sig_atomic_t fault_expected;
static void *volatile fault_address;

static void on_fault(int sig, siginfo_t *info, void *context)
{
	(void)context;
	if (!fault_expected) {
		/* The same again, and to death: the reader of our status tells. */
		signal(sig, SIG_DFL);
		return;
	}
	fault_address = info->si_addr;
	siglongjmp(fault_jump, sig);
}

/* The signal that a touch raises, or 0. */
static int touch(char *address, bool write)
{
	int sig;

	fault_expected = 1;
	sig = sigsetjmp(fault_jump, 0);
	if (!sig) {
		char byte = *(volatile char *)address;

		if (write)
			*(volatile char *)address = byte;
	}
	fault_expected = 0;
	return sig;
}

/* The same for who does not expect to read anything. */
int rm_read_signal(char *address)
{
	return touch(address, false);
}

void rm_catch_faults(void)
{
	struct sigaction action = {
		.sa_sigaction = on_fault,
		.sa_flags = SA_SIGINFO | SA_NODEFER,
	};

	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGBUS, &action, NULL);
}

/* Returns whether there was a page to touch. */
static bool touch_page(struct rm_region *region, uint64_t page, bool write)
{
	char *at = region->base + page * PAGE;
	int expected, sig;

	rm->touches++;
	sig = touch(at, write);
	/* The byte is read first, in both cases. */
	expected = rm_touch(region, page, PROT_READ);
	if (!expected && write)
		expected = rm_touch(region, page, PROT_READ | PROT_WRITE);
	if (!RM_CHECK(sig == expected, "touch of page %" PRIu64 ": signal %d, should be %d",
		      page, sig, expected))
		return false;
	if (sig) {
		RM_CHECK(fault_address == at, "signal at %p, should be at %p", fault_address,
			 at);
		return false;
	}
	if (!rm_check_bytes(region, page, at))
		return false;
	if (write) {
		region->page[page].content = ++rm->contents;
		rm_fill(at, region, region->page[page].content);
	}
	return true;
}

static void touch_some(unsigned int actor, struct rm_region *region)
{
	uint64_t first, last, page;
	bool write = rm_chance(2), down = rm_chance(3);

	rm_some_range(region, &first, &last);
	if (rm_chance(2))
		last = first;
	rm_record(actor, write ? "write" : "read", region, first, last, down, 0);
	if (down) {
		for (page = last + 1; page-- > first;)
			if (!touch_page(region, page, write))
				break;
		return;
	}
	for (page = first; page <= last; page++)
		if (!touch_page(region, page, write))
			break;
}

/* From @first on, up to @last at most: pages that are mapped, and can be so used. */
static bool mapped_run(const struct rm_region *region, uint64_t first, uint64_t *last,
		       int prot)
{
	uint64_t page = first;

	while (page <= *last && region->page[page].mapped &&
	       (region->page[page].prot & prot) == prot)
		page++;
	*last = page - 1;
	return page > first;
}

static void protect(unsigned int actor, struct rm_region *region)
{
	static const int prots[] = {
		PROT_NONE, PROT_READ, PROT_READ | PROT_WRITE, PROT_READ | PROT_WRITE,
		PROT_READ | PROT_WRITE | PROT_EXEC,
	};
	int prot = prots[rm_below(5)], result;
	bool allowed = !(prot & PROT_EXEC) || region->flags & PRIVHEAP_CREATE_EXEC;
	uint64_t first, last;

	rm_some_range(region, &first, &last);
	/* What lost its rights gets them again, in the end. */
	if (rm_chance(2)) {
		first = 0;
		last = region->pages - 1;
		prot = PROT_READ | PROT_WRITE;
		allowed = true;
	}
	if (!mapped_run(region, first, &last, 0))
		return;
	result = mprotect(region->base + first * PAGE, (last - first + 1) * PAGE, prot) ?
		 -errno : 0;
	region->split = true;
	rm_record(actor, "mprotect", region, first, last, prot, 0);
	rm_result(result, 0);
	RM_CHECK(result == (allowed ? 0 : -EACCES), "mprotect to %d: %d", prot, result);
	for (; allowed && first <= last; first++)
		region->page[first].prot = prot;
}

static void advise(unsigned int actor, struct rm_region *region)
{
	static const int advices[] = { MADV_DONTNEED, MADV_COLD, MADV_PAGEOUT, MADV_FREE,
				       MADV_REMOVE };
	int advice = advices[rm_below(5)], result;
	uint64_t first, last;

	rm_some_range(region, &first, &last);
	if (!mapped_run(region, first, &last, 0))
		return;
	result = madvise(region->base + first * PAGE, (last - first + 1) * PAGE, advice) ?
		 -errno : 0;
	rm_record(actor, "madvise", region, first, last, advice, 0);
	rm_result(result, 0);
	/* Whatever it is, what is in memory stays. */
	if (advice == MADV_FREE || advice == MADV_REMOVE)
		RM_CHECK(result < 0, "madvise %d: %d", advice, result);
	else
		RM_CHECK(!result, "madvise %d: %d", advice, result);
}

/*
 * Touches, made by the kernel: one page after the other, up to one that fails. The
 * kernel forgets an error behind pages that it has got, and tries that page again
 * as the first one. It does so in each mapping: they must not be more than one.
 */
static void prefault(unsigned int actor, struct rm_region *region)
{
	bool write = rm_chance(2);
	int prot = write ? PROT_READ | PROT_WRITE : PROT_READ, result, expected = 0;
	uint64_t first, last, page, start;

	rm_some_range(region, &first, &last);
	if (region->split || !mapped_run(region, first, &last, prot))
		return;
	result = madvise(region->base + first * PAGE, (last - first + 1) * PAGE,
			 write ? MADV_POPULATE_WRITE : MADV_POPULATE_READ) ? -errno : 0;
	rm_record(actor, "prefault", region, first, last, write, 0);
	rm_result(result, 0);
	for (page = start = first; page <= last && !expected;) {
		if (!rm_touch(region, page, prot))
			page++;
		else if (page > start)
			start = page;
		else
			expected = -EFAULT;
	}
	RM_CHECK(result == expected, "madvise, populate: %d, should be %d", result, expected);
}

/* Neither moved nor made larger. */
static void move(unsigned int actor, struct rm_region *region)
{
	uint64_t first, last, length;
	void *target, *result;

	rm_some_range(region, &first, &last);
	if (!mapped_run(region, first, &last, 0))
		return;
	length = (last - first + 1) * PAGE;
	region->split = true;
	rm_record(actor, "mremap", region, first, last, 0, 0);
	if (rm_chance(2)) {
		result = mremap(region->base + first * PAGE, rm_chance(2) ? 0 : length,
				length + PAGE, MREMAP_MAYMOVE);
		RM_CHECK(result == MAP_FAILED, "mremap of page %" PRIu64 " worked", first);
		return;
	}
	target = mmap(NULL, length, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
		      -1, 0);
	result = mremap(region->base + first * PAGE, length, length,
			MREMAP_MAYMOVE | MREMAP_FIXED, target);
	RM_CHECK(result == MAP_FAILED, "mremap of page %" PRIu64 " worked", first);
	munmap(target, length);
}

/*
 * Take a part away. Something else is put there at once: else the kernel would
 * give the hole to a new region, and a touch of it would mean that one.
 */
static void unmap(unsigned int actor, struct rm_region *region)
{
	uint64_t first, last;
	bool over = rm_chance(2);
	char *at, *end;
	void *hole;

	if (rm_chance(4)) {
		first = 0;
		last = region->pages - 1;
	} else {
		rm_some_range(region, &first, &last);
	}
	at = region->base + first * PAGE;
	end = region->base + (last + 1) * PAGE;
	rm_record(actor, "munmap", region, first, last, over, 0);
	if (!over)
		RM_CHECK(!munmap(at, end - at), "munmap: %d", errno);
	hole = mmap(at, end - at, PROT_NONE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
	RM_CHECK(hole == at, "mmap over %p: %d", at, errno);
	rm_unmap(region, first, last);
	region->split = true;
	if (!region->used)
		munmap(region->base, region->pages * PAGE);
}

/* One operation on the memory of a region. */
void rm_memory_operation(unsigned int actor, struct rm_region *region)
{
	unsigned int what = rm_below(64);

	if (what < 44)
		touch_some(actor, region);
	else if (what < 49)
		prefault(actor, region);
	else if (what < 53)
		protect(actor, region);
	else if (what < 57)
		advise(actor, region);
	else if (what < 60)
		move(actor, region);
	else
		unmap(actor, region);
	/* A child costs as much as hundreds of others. */
	if (actor != RM_CHILD && rm_chance(400))
		rm_child_operation(actor);
}

// SPDX-License-Identifier: GPL-2.0-only
/* The ioctls, their structs at all sorts of places, and what must be so afterwards. */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "fuzz.h"
#include "guard.h"

/* What all ioctls take first, see IOCTL_ARGS. */
enum { SIZE, AT, FD, OWN };

/*
 * Put a struct where the program wants it.
 * Returns its address, which may be anything.
 */
static void *place(struct fuzz_machine *machine, uint64_t at, void *struct_, size_t size)
{
	char *to = (char *)(uintptr_t)at;

	switch (at) {
	case PLACE_PLAIN:
		return struct_;
	case PLACE_NULL:
		return NULL;
	case PLACE_KERNEL:
		return (void *)0xffff888000001000UL;
	case PLACE_CROSSING:
		to = machine->pages + PAGE - size / 2;
		size -= size / 2;
		break;
	case PLACE_END:
		to = machine->pages + PAGE - size;
		break;
	case PLACE_READ_ONLY:
		to = machine->read_only;
		mprotect(to, PAGE, PROT_READ | PROT_WRITE);
		fuzz_copy(to, struct_, size);
		mprotect(to, PAGE, PROT_READ);
		return to;
	default:
		if (at < PAGE)
			return struct_;
	}
	fuzz_copy(to, struct_, size);
	return to;
}

static bool system_usage(struct fuzz_machine *machine, struct privheap_query *query)
{
	return machine->alone &&
	       !ph_query(machine->fd[FUZZ_FD_FOREIGN], NULL, PRIVHEAP_QUERY_SYSTEM, query);
}

/*
 * Make the ioctl. A call that fails has changed nothing: where nobody else is at
 * work, the books of the system are as before.
 */
static int call(struct fuzz_machine *machine, unsigned long cmd, const uint64_t *arg,
		void *struct_, size_t size)
{
	bool plain = arg[AT] == PLACE_PLAIN, device;
	struct privheap_query before, after;
	char space[2 * PAGE];
	bool looked;
	void *user;
	int fd, ret;

	memset(space, 0, sizeof(space));
	memcpy(space, struct_, size);
	*(uint32_t *)space = arg[SIZE] ?: size;
	user = place(machine, arg[AT], space, size);
	fd = machine->fd[arg[FD] % FUZZ_FDS];
	looked = plain && system_usage(machine, &before);
	ret = ioctl(fd, cmd, user) ? -errno : 0;
	if (ret && looked && ret != -EBUSY && system_usage(machine, &after) &&
	    !ph_same_usage(&before, &after))
		fuzz_broken(machine, "errno %d, and the books have changed", -ret);
	if (!ret && user)
		fuzz_copy(struct_, user, size);
	/* Another file, or none, says what it likes. */
	device = arg[FD] % FUZZ_FDS <= FUZZ_FD_FOREIGN && fd >= 0 && machine->alone;
	return !device && (ret == -ENOTTY || ret == -EBADF) ? 1 : ret;
}

/* Committed bytes as the call has told them, and as they are. */
static void check_committed(struct fuzz_machine *machine, const uint64_t *arg,
			    uint64_t base, uint64_t told)
{
	struct privheap_query now;

	/* A shorter struct, or one that is not there any more, tells nothing. */
	if (!machine->alone || arg[SIZE] || arg[AT] != PLACE_PLAIN ||
	    ph_query(machine->fd[FUZZ_FD_FOREIGN], (void *)(uintptr_t)base, 0, &now))
		return;
	if (now.out_committed != told)
		fuzz_broken(machine, "told of %#llx committed bytes, there are %#llx",
			    (unsigned long long)told, (unsigned long long)now.out_committed);
	if (now.out_resident > now.out_committed || now.out_committed > now.out_reserved)
		fuzz_broken(machine, "%#llx resident, %#llx committed, %#llx reserved",
			    (unsigned long long)now.out_resident,
			    (unsigned long long)now.out_committed,
			    (unsigned long long)now.out_reserved);
}

int run_create(struct fuzz_machine *machine, const uint64_t *arg)
{
	struct fuzz_slot *slot = &machine->slot[arg[OWN] % FUZZ_SLOTS];
	struct privheap_create create = {
		.flags = arg[OWN + 1],
		.reserve = arg[OWN + 2],
		.commit = arg[OWN + 3],
		.limit = arg[OWN + 4],
		.reserved = arg[OWN + 5],
	};
	int ret = call(machine, PRIVHEAP_IOC_CREATE, arg, &create, sizeof(create));

	if (ret)
		return ret;
	slot->base = create.out_base;
	slot->id = create.out_id;
	slot->reserve = create.reserve;
	check_committed(machine, arg, create.out_base, create.commit);
	return 0;
}

int run_grow(struct fuzz_machine *machine, const uint64_t *arg)
{
	struct privheap_grow grow = {
		.base = arg[OWN],
		.flags = arg[OWN + 1],
		.commit = arg[OWN + 2],
		.reserved = arg[OWN + 3],
	};
	int ret = call(machine, PRIVHEAP_IOC_GROW, arg, &grow, sizeof(grow));

	if (!ret)
		check_committed(machine, arg, grow.base, grow.out_committed);
	return ret;
}

int run_commit(struct fuzz_machine *machine, const uint64_t *arg)
{
	struct privheap_commit commit = {
		.base = arg[OWN],
		.flags = arg[OWN + 1],
		.offset = arg[OWN + 2],
		.length = arg[OWN + 3],
		.reserved = arg[OWN + 4],
	};
	int ret = call(machine, PRIVHEAP_IOC_COMMIT, arg, &commit, sizeof(commit));

	if (!ret)
		check_committed(machine, arg, commit.base, commit.out_committed);
	return ret;
}

int run_decommit(struct fuzz_machine *machine, const uint64_t *arg)
{
	struct privheap_decommit decommit = {
		.base = arg[OWN],
		.flags = arg[OWN + 1],
		.offset = arg[OWN + 2],
		.length = arg[OWN + 3],
	};
	int ret = call(machine, PRIVHEAP_IOC_DECOMMIT, arg, &decommit, sizeof(decommit));

	if (!ret)
		check_committed(machine, arg, decommit.base, decommit.out_committed);
	return ret;
}

int run_destroy(struct fuzz_machine *machine, const uint64_t *arg)
{
	struct privheap_destroy destroy = {
		.base = arg[OWN],
		.flags = arg[OWN + 1],
	};
	struct privheap_query query;
	int ret = call(machine, PRIVHEAP_IOC_DESTROY, arg, &destroy, sizeof(destroy));

	if (!ret && machine->alone &&
	    ph_query(machine->fd[FUZZ_FD_FOREIGN], (void *)(uintptr_t)destroy.base, 0,
		     &query) != -ENOENT)
		fuzz_broken(machine, "a region is there after its DESTROY");
	return ret;
}

int run_query(struct fuzz_machine *machine, const uint64_t *arg)
{
	struct privheap_query query = {
		.base = arg[OWN],
		.flags = arg[OWN + 1],
	};
	int ret = call(machine, PRIVHEAP_IOC_QUERY, arg, &query, sizeof(query));

	if (!ret && !query.flags && !arg[SIZE] && arg[AT] == PLACE_PLAIN &&
	    (query.out_resident > query.out_committed ||
	     query.out_committed > query.out_reserved ||
	     (machine->alone && query.out_peak_committed < query.out_committed) ||
	     query.out_regions != 1))
		fuzz_broken(machine, "QUERY: %llu regions, %#llx of %#llx of %#llx bytes",
			    (unsigned long long)query.out_regions,
			    (unsigned long long)query.out_resident,
			    (unsigned long long)query.out_committed,
			    (unsigned long long)query.out_reserved);
	return ret;
}

int run_notify(struct fuzz_machine *machine, const uint64_t *arg)
{
	struct privheap_notify notify = {
		.base = arg[OWN],
		.flags = arg[OWN + 1],
		.threshold = arg[OWN + 2],
		.resource = arg[OWN + 3],
		.eventfd = machine->fd[arg[OWN + 4] % FUZZ_FDS],
	};
	uint64_t times = arg[OWN + 5] > PRIVHEAP_NOTIFY_MAX + 1 ? 1 : arg[OWN + 5];
	int ret;

	/* One threshold after the other, as many as there may be. */
	do {
		ret = call(machine, PRIVHEAP_IOC_NOTIFY, arg, &notify, sizeof(notify));
		notify.threshold += PAGE;
	} while (times-- && !ret);
	return ret;
}

int run_limit(struct fuzz_machine *machine, const uint64_t *arg)
{
	struct privheap_limit limit = {
		.base = arg[OWN],
		.flags = arg[OWN + 1],
		.resource = arg[OWN + 2],
		.set = arg[OWN + 3],
		.soft = arg[OWN + 4],
		.hard = arg[OWN + 5],
		.reserve = arg[OWN + 6],
		.fail_nth = arg[OWN + 7],
		.reserved = arg[OWN + 8],
	};
	int ret = call(machine, PRIVHEAP_IOC_LIMIT, arg, &limit, sizeof(limit));

	if (ret || !machine->alone || arg[SIZE] || arg[AT] != PLACE_PLAIN)
		return ret;
	/* Beyond what there can be is none. */
	if ((limit.set & PRIVHEAP_SET_SOFT && limit.soft < 1ULL << 62 &&
	     limit.out_soft != limit.soft) ||
	    (limit.set & PRIVHEAP_SET_FAIL_NTH && limit.out_fail_nth != limit.fail_nth))
		fuzz_broken(machine, "LIMIT: soft %#llx for %#llx, nth %llu for %llu",
			    (unsigned long long)limit.out_soft,
			    (unsigned long long)limit.soft,
			    (unsigned long long)limit.out_fail_nth,
			    (unsigned long long)limit.fail_nth);
	if (limit.out_usage > limit.out_peak)
		fuzz_broken(machine, "LIMIT: a peak of %#llx, below %#llx",
			    (unsigned long long)limit.out_peak,
			    (unsigned long long)limit.out_usage);
	return 0;
}

/* Whatever number, and whatever struct. */
int run_ioctl(struct fuzz_machine *machine, const uint64_t *arg)
{
	uint64_t words[16];
	unsigned long cmd = arg[OWN];
	unsigned int i;

	for (i = 0; i < 16; i++)
		words[i] = arg[OWN + 1] >> i * 4 & 1 ? machine->slot[0].base : 0;
	words[0] = sizeof(words);
	if (cmd <= 0x10)
		cmd |= PRIVHEAP_IOC_MAGIC << 8;
	call(machine, cmd, arg, words, sizeof(words));
	return 1;
}

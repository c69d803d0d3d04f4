// SPDX-License-Identifier: GPL-2.0-only
/* Regions over netlink: one, its map, all of them, and filters. */
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "netlink_fixture.h"

#define SOME_UID	54321
#define MAX_SEEN	4096

/* Attributes of every region; CGROUP is there but for those in the root. */
#define REGION_ATTRS	(BIT_OF(PRIVHEAP_A_REGION_ID) | BIT_OF(PRIVHEAP_A_BASE) | \
			 BIT_OF(PRIVHEAP_A_FLAGS) | BIT_OF(PRIVHEAP_A_PID) |	\
			 BIT_OF(PRIVHEAP_A_UID) | BIT_OF(PRIVHEAP_A_RESERVED) |	\
			 BIT_OF(PRIVHEAP_A_FAULTS) | BIT_OF(PRIVHEAP_A_DENIALS) | \
			 BIT_OF(PRIVHEAP_A_COMMIT) | BIT_OF(PRIVHEAP_A_RESIDENT))

/* The numbers of the regions in a dump, in its order. */
struct seen {
	unsigned int count;
	unsigned int unordered;
	unsigned int unknown;
	uint64_t id[MAX_SEEN];
};

static void see(struct nl_object *object, void *argument)
{
	uint64_t id = object->value[PRIVHEAP_A_REGION_ID];
	struct seen *seen = argument;

	seen->unknown += object->unknown;
	if (object->command != PRIVHEAP_CMD_REGION_GET)
		seen->unknown++;
	if (seen->count && seen->id[seen->count - 1] >= id)
		seen->unordered++;
	if (seen->count < MAX_SEEN)
		seen->id[seen->count++] = id;
}

static bool saw(const struct seen *seen, uint64_t id)
{
	for (unsigned int i = 0; i < seen->count; i++)
		if (seen->id[i] == id)
			return true;
	return false;
}

static int see_all(struct nl_socket *nl, uint16_t filter, uint64_t value,
		   struct seen *seen)
{
	memset(seen, 0, sizeof(*seen));
	return nl_dump(nl, PRIVHEAP_CMD_REGION_GET, filter, value, see, seen) ?:
	       seen->unknown || seen->unordered ? -EIO : 0;
}

static uint64_t cgroup_id(const char *path)
{
	struct stat status;

	return stat(path, &status) ? 0 : status.st_ino;
}

TEST_F(netlink, region_is_as_the_ioctl_says)
{
	struct nl_object object;
	struct privheap_query query;
	char *base;

	ASSERT_EQ(0, ph_create_limit(self->fd, 64 * PAGE, 8 * PAGE, 32 * PAGE,
				     PRIVHEAP_CREATE_LAZY, &base));
	ASSERT_EQ(0, ph_write(base + 3 * PAGE, 1));
	ASSERT_EQ(0, ph_decommit(self->fd, base, 6 * PAGE, 2 * PAGE));
	ASSERT_EQ(-EDQUOT, ph_grow(self->fd, base, 33 * PAGE, 0));
	query = ph_region(self->fd, base);

	ASSERT_EQ(0, nl_region(&self->nl, query.out_id, &object));
	EXPECT_EQ(PRIVHEAP_CMD_REGION_GET, object.command);
	EXPECT_EQ(REGION_ATTRS, object.have & ~BIT_OF(PRIVHEAP_A_CGROUP));
	EXPECT_EQ(0, object.unknown);
	EXPECT_EQ(query.out_id, object.value[PRIVHEAP_A_REGION_ID]);
	EXPECT_EQ(TO_BASE(base), object.value[PRIVHEAP_A_BASE]);
	EXPECT_EQ(PRIVHEAP_CREATE_LAZY, object.value[PRIVHEAP_A_FLAGS]);
	EXPECT_EQ(getpid(), object.value[PRIVHEAP_A_PID]);
	EXPECT_EQ(getuid(), object.value[PRIVHEAP_A_UID]);
	EXPECT_EQ(64 * PAGE, object.value[PRIVHEAP_A_RESERVED]);
	EXPECT_EQ(1, object.value[PRIVHEAP_A_FAULTS]);
	EXPECT_EQ(1, object.value[PRIVHEAP_A_DENIALS]);

	EXPECT_EQ(6 * PAGE, object.commit[PRIVHEAP_A_COUNTER_USAGE]);
	EXPECT_EQ(8 * PAGE, object.commit[PRIVHEAP_A_COUNTER_PEAK]);
	EXPECT_EQ(PRIVHEAP_NO_LIMIT, object.commit[PRIVHEAP_A_COUNTER_SOFT]);
	EXPECT_EQ(32 * PAGE, object.commit[PRIVHEAP_A_COUNTER_HARD]);
	EXPECT_EQ(0, object.commit[PRIVHEAP_A_COUNTER_RESERVE]);
	EXPECT_EQ(0, object.commit[PRIVHEAP_A_COUNTER_RESERVE_OPEN]);
	EXPECT_EQ(0, object.commit[PRIVHEAP_A_COUNTER_FAIL_NTH]);
	EXPECT_EQ(1, object.commit[PRIVHEAP_A_COUNTER_DENIALS]);
	EXPECT_EQ(query.out_resident, object.resident[PRIVHEAP_A_COUNTER_USAGE]);
	EXPECT_EQ(query.out_peak_resident, object.resident[PRIVHEAP_A_COUNTER_PEAK]);
	EXPECT_EQ(PRIVHEAP_NO_LIMIT, object.resident[PRIVHEAP_A_COUNTER_HARD]);
	EXPECT_EQ(0, object.resident[PRIVHEAP_A_COUNTER_DENIALS]);

	ASSERT_EQ(0, ph_destroy(self->fd, base));
	EXPECT_REFUSED(-ENOENT, &self->nl, nl_region(&self->nl, query.out_id, &object));
	EXPECT_NE(0, self->nl.offset);
	EXPECT_REFUSED(-ENOENT, &self->nl, nl_region(&self->nl, 0, &object));
	EXPECT_REFUSED(-ENOENT, &self->nl, nl_region(&self->nl, ~0ULL, &object));
}

TEST_F(netlink, dump_has_each_once_in_order)
{
	static struct seen seen;
	uint64_t id[100];
	char *base[100];

	for (int i = 0; i < 100; i++) {
		ASSERT_EQ(0, ph_create(self->fd, 4 * PAGE, PAGE, 0, &base[i]));
		id[i] = ph_region(self->fd, base[i]).out_id;
	}
	ASSERT_EQ(0, see_all(&self->nl, 0, 0, &seen));
	EXPECT_FALSE(self->nl.interrupted);
	EXPECT_EQ(100 + self->system.out_regions, seen.count);
	for (int i = 0; i < 100; i++)
		EXPECT_TRUE(saw(&seen, id[i]));
	for (int i = 0; i < 100; i += 2)
		ASSERT_EQ(0, ph_destroy(self->fd, base[i]));
	ASSERT_EQ(0, see_all(&self->nl, 0, 0, &seen));
	EXPECT_EQ(50 + self->system.out_regions, seen.count);
	for (int i = 0; i < 100; i++)
		EXPECT_EQ(i % 2, saw(&seen, id[i]));
}

/* A child with a region in another user's name and another cgroup. */
static pid_t start_child(const char *cgroup, uid_t uid, uint64_t *id, int *hold)
{
	int up[2], down[2];
	pid_t child;

	if (pipe(up) || pipe(down))
		return -1;
	child = fork();
	if (!child) {
		uint64_t number = 0;
		int fd = ph_open();
		char *base, byte;

		close(down[1]);
		if ((cgroup && ph_cgroup_enter(cgroup)) || setresuid(uid, uid, uid) ||
		    ph_create(fd, 8 * PAGE, PAGE, 0, &base))
			_exit(1);
		number = ph_region(fd, base).out_id;
		if (write(up[1], &number, sizeof(number)) != sizeof(number))
			_exit(2);
		_exit(read(down[0], &byte, 1));
	}
	close(up[1]);
	close(down[0]);
	if (read(up[0], id, sizeof(*id)) != sizeof(*id))
		*id = 0;
	close(up[0]);
	*hold = down[1];
	return child;
}

TEST_F(netlink, filters)
{
	static struct seen seen;
	struct nl_object object;
	uint64_t mine, id;
	char path[128], inner[160], *base;
	pid_t child;
	int hold;

	if (ph_cgroup_make("netlink_test", path, sizeof(path)))
		SKIP(return, "no cgroups (version 2) here");
	snprintf(inner, sizeof(inner), "%s/inner", path);
	ASSERT_EQ(0, mkdir(inner, 0755));
	ASSERT_EQ(0, ph_create(self->fd, 8 * PAGE, PAGE, 0, &base));
	mine = ph_region(self->fd, base).out_id;
	child = start_child(inner, SOME_UID, &id, &hold);
	ASSERT_LT(0, child);
	EXPECT_NE(0, id);

	EXPECT_EQ(0, see_all(&self->nl, PRIVHEAP_A_PID, getpid(), &seen));
	EXPECT_EQ(1, seen.count);
	EXPECT_TRUE(saw(&seen, mine));
	EXPECT_EQ(0, see_all(&self->nl, PRIVHEAP_A_PID, child, &seen));
	EXPECT_EQ(1, seen.count);
	EXPECT_TRUE(saw(&seen, id));
	EXPECT_EQ(0, see_all(&self->nl, PRIVHEAP_A_PID, 0x7fffffff, &seen));
	EXPECT_EQ(0, seen.count);
	EXPECT_EQ(0, see_all(&self->nl, PRIVHEAP_A_PID, 0xffffffff, &seen));
	EXPECT_EQ(0, seen.count);

	EXPECT_EQ(0, see_all(&self->nl, PRIVHEAP_A_UID, SOME_UID, &seen));
	EXPECT_EQ(1, seen.count);
	EXPECT_TRUE(saw(&seen, id));
	EXPECT_EQ(0, see_all(&self->nl, PRIVHEAP_A_UID, 0, &seen));
	EXPECT_TRUE(saw(&seen, mine));
	EXPECT_FALSE(saw(&seen, id));
	EXPECT_EQ(0, see_all(&self->nl, PRIVHEAP_A_UID, SOME_UID + 1, &seen));
	EXPECT_EQ(0, seen.count);

	EXPECT_EQ(0, nl_region(&self->nl, id, &object));
	EXPECT_EQ(SOME_UID, object.value[PRIVHEAP_A_UID]);
	EXPECT_EQ(cgroup_id(inner), object.value[PRIVHEAP_A_CGROUP]);
	EXPECT_EQ(0, see_all(&self->nl, PRIVHEAP_A_CGROUP, cgroup_id(inner), &seen));
	EXPECT_EQ(1, seen.count);
	EXPECT_TRUE(saw(&seen, id));
	/* Below it is in it. */
	EXPECT_EQ(0, see_all(&self->nl, PRIVHEAP_A_CGROUP, cgroup_id(path), &seen));
	EXPECT_EQ(1, seen.count);
	EXPECT_TRUE(saw(&seen, id));
	EXPECT_EQ(0, see_all(&self->nl, PRIVHEAP_A_CGROUP, 0x7fffffffffff, &seen));
	EXPECT_EQ(0, seen.count);

	close(hold);
	EXPECT_EXITED(0, child);
	rmdir(inner);
	ph_cgroup_remove(path);
}

TEST_F(netlink, map)
{
	static struct nl_object object;
	const uint64_t pages = 64 * MIB / PAGE + 3;
	uint64_t id, each, resident = 0;
	char *base;

	/* Ten pages; committed 2 to 5 and 9; resident 3 and 9. */
	ASSERT_EQ(0, ph_create(self->fd, 10 * PAGE, 0, PRIVHEAP_CREATE_LAZY, &base));
	ASSERT_EQ(0, ph_commit(self->fd, base, 2 * PAGE, 4 * PAGE, 0));
	ASSERT_EQ(0, ph_commit(self->fd, base, 9 * PAGE, PAGE, 0));
	ASSERT_EQ(0, ph_write(base + 3 * PAGE, 1));
	ASSERT_EQ(0, ph_write(base + 9 * PAGE, 1));
	ASSERT_EQ(2 * PAGE, ph_resident(self->fd, base));
	id = ph_region(self->fd, base).out_id;

	EXPECT_EQ(0, nl_map(&self->nl, id, 1, &object));
	EXPECT_EQ(BIT_OF(PRIVHEAP_A_CELLS) | BIT_OF(PRIVHEAP_A_MAP),
		  object.have & ~REGION_ATTRS & ~BIT_OF(PRIVHEAP_A_CGROUP));
	ASSERT_EQ(1, object.pairs);
	EXPECT_EQ(1, object.value[PRIVHEAP_A_CELLS]);
	EXPECT_EQ(5 * PAGE, object.map[0][0]);
	EXPECT_EQ(2 * PAGE, object.map[0][1]);

	/* Four pages a cell, two in the last one. */
	EXPECT_EQ(0, nl_map(&self->nl, id, 3, &object));
	ASSERT_EQ(3, object.pairs);
	EXPECT_EQ(2 * PAGE, object.map[0][0]);
	EXPECT_EQ(PAGE, object.map[0][1]);
	EXPECT_EQ(2 * PAGE, object.map[1][0]);
	EXPECT_EQ(0, object.map[1][1]);
	EXPECT_EQ(PAGE, object.map[2][0]);
	EXPECT_EQ(PAGE, object.map[2][1]);

	/* More than there are pages. */
	EXPECT_EQ(0, nl_map(&self->nl, id, PRIVHEAP_CELLS_MAX, &object));
	ASSERT_EQ(10, object.pairs);
	EXPECT_EQ(10, object.value[PRIVHEAP_A_CELLS]);
	for (int i = 0; i < 10; i++) {
		EXPECT_EQ((i >= 2 && i <= 5) || i == 9 ? PAGE : 0, object.map[i][0]);
		EXPECT_EQ(i == 3 || i == 9 ? PAGE : 0, object.map[i][1]);
	}
	/* Cells of two pages are five, not six. */
	EXPECT_EQ(0, nl_map(&self->nl, id, 6, &object));
	EXPECT_EQ(5, object.pairs);
	ASSERT_EQ(0, ph_destroy(self->fd, base));

	/* As many as there can be, with large folios and an odd size. */
	ASSERT_EQ(0, ph_create(self->fd, pages * PAGE, 0, 0, &base));
	ASSERT_EQ(0, ph_commit(self->fd, base, 2 * MIB, 6 * MIB,
			       PRIVHEAP_COMMIT_POPULATE));
	id = ph_region(self->fd, base).out_id;
	EXPECT_EQ(0, nl_map(&self->nl, id, PRIVHEAP_CELLS_MAX, &object));
	each = (pages + PRIVHEAP_CELLS_MAX - 1) / PRIVHEAP_CELLS_MAX;
	EXPECT_EQ((pages + each - 1) / each, object.pairs);
	for (unsigned int i = 0; i < object.pairs; i++) {
		EXPECT_EQ(object.map[i][0], object.map[i][1]);
		EXPECT_LE(object.map[i][0], each * PAGE);
		resident += object.map[i][1];
	}
	EXPECT_EQ(6 * MIB, resident);
}

/* So many folios that the module takes a breath in between. */
TEST_F(netlink, map_of_many_folios)
{
	static struct nl_object object;
	const unsigned int pages = 10000;
	uint64_t resident = 0;
	char *base;

	ASSERT_EQ(0, ph_create(self->fd, pages * PAGE, pages * PAGE, PRIVHEAP_CREATE_LAZY,
			       &base));
	/* Downwards, and not each: no folio is large. */
	for (int i = pages - 2; i >= 0; i -= 2)
		base[i * PAGE] = 1;
	ASSERT_EQ(pages / 2 * PAGE, ph_resident(self->fd, base));
	EXPECT_EQ(0, nl_map(&self->nl, ph_region(self->fd, base).out_id, 5, &object));
	ASSERT_EQ(5, object.pairs);
	for (unsigned int i = 0; i < 5; i++) {
		EXPECT_EQ(pages / 5 * PAGE, object.map[i][0]);
		EXPECT_EQ(pages / 10 * PAGE, object.map[i][1]);
		resident += object.map[i][1];
	}
	EXPECT_EQ(pages / 2 * PAGE, resident);
}

TEST_HARNESS_MAIN

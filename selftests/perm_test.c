// SPDX-License-Identifier: GPL-2.0-only
/* Who may use the device: its owner and its group, and nobody else. */
#include <grp.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "privheap_fixture.h"

#define GROUP		"privheap"
/* Nobody's, and not in any group. */
#define SOME_UID	54321
#define SOME_GID	54321

#define NEEDS_ROOT() do {						\
	if (geteuid())							\
		SKIP(return, "needs root to become others");		\
} while (0)

static int become(gid_t extra)
{
	gid_t groups[] = { extra };

	if (setgroups(extra != SOME_GID, groups) || setgid(SOME_GID) ||
	    setuid(SOME_UID))
		return -1;
	return 0;
}

TEST_F(privheap, mode_is_0660)
{
	struct stat status;

	ASSERT_EQ(0, stat(PRIVHEAP_DEVICE, &status));
	EXPECT_TRUE(S_ISCHR(status.st_mode));
	EXPECT_EQ(0660, status.st_mode & 07777);
	EXPECT_EQ(0, status.st_uid);
}

TEST_F(privheap, not_for_others)
{
	pid_t child;

	NEEDS_ROOT();
	child = fork();
	ASSERT_LE(0, child);
	if (!child) {
		if (become(SOME_GID))
			_exit(1);
		_exit(ph_open() == -EACCES ? 0 : 2);
	}
	EXPECT_EXITED(0, child);
}

TEST_F(privheap, for_the_group)
{
	struct group *group = getgrnam(GROUP);
	struct stat status;
	pid_t child;

	NEEDS_ROOT();
	if (!group)
		SKIP(return, "no group " GROUP " on this machine");
	ASSERT_EQ(0, stat(PRIVHEAP_DEVICE, &status));
	if (status.st_gid != group->gr_gid)
		SKIP(return, PRIVHEAP_DEVICE " is not of group " GROUP
		     " (udev rule not installed)");
	child = fork();
	ASSERT_LE(0, child);
	if (!child) {
		struct privheap_query query;
		char *base;
		int fd;

		if (become(group->gr_gid))
			_exit(1);
		fd = ph_open();
		if (fd < 0)
			_exit(2);
		/* All of it, without privileges. */
		if (ph_create(fd, 4 * MIB, MIB, 0, &base) ||
		    ph_grow(fd, base, 2 * MIB, 0) ||
		    ph_write(base + 2 * MIB - 1, 1) ||
		    ph_commit(fd, base, 3 * MIB, MIB, PRIVHEAP_COMMIT_POPULATE) ||
		    ph_decommit(fd, base, 0, MIB) ||
		    ph_query(fd, base, 0, &query) ||
		    query.out_committed != 2 * MIB)
			_exit(3);
		if (ph_query(fd, NULL, PRIVHEAP_QUERY_SYSTEM, &query))
			_exit(4);
		if (ph_destroy(fd, base))
			_exit(5);
		_exit(0);
	}
	EXPECT_EXITED(0, child);
}

/* Who is handed an open device may use it, for regions of its own. */
TEST_F(privheap, by_a_descriptor_from_root)
{
	pid_t child;

	NEEDS_ROOT();
	child = fork();
	ASSERT_LE(0, child);
	if (!child) {
		char *base;

		if (become(SOME_GID))
			_exit(1);
		_exit(ph_create(self->fd, MIB, MIB, 0, &base) ||
		      ph_write(base, 1) || ph_destroy(self->fd, base) ? 2 : 0);
	}
	EXPECT_EXITED(0, child);
}

TEST_F(privheap, limit_is_for_root_to_set)
{
	const char *parameter = "/sys/module/privheap/parameters/commit_limit";
	struct stat status;

	ASSERT_EQ(0, stat(parameter, &status));
	EXPECT_EQ(0644, status.st_mode & 07777);
	EXPECT_EQ(0, status.st_uid);
}

TEST_HARNESS_MAIN

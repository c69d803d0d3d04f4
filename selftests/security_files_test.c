// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ways round the ioctls: by the region's path in /proc, by the device's descriptor,
 * and by an open device that belongs to another process or program.
 */
#define _GNU_SOURCE
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <utime.h>

#include "privheap_fixture.h"

#define RESERVE		(4 * MIB)
#define SOME_UID	54341

static int become(uid_t uid)
{
	return setgroups(0, NULL) || setresgid(uid, uid, uid) ||
	       setresuid(uid, uid, uid) ? -1 : 0;
}

static void path_of(const char *base, char *path, size_t size)
{
	snprintf(path, size, "/proc/self/map_files/%lx-%lx", (unsigned long)TO_BASE(base),
		 (unsigned long)TO_BASE(base + RESERVE));
}

/* Its size, mode, owner and times are the module's. */
TEST_F(privheap, no_attributes_by_path)
{
	struct privheap_query before;
	char path[128], *base;
	struct stat status;

	ASSERT_EQ(0, ph_create(self->fd, RESERVE, MIB, 0, &base));
	path_of(base, path, sizeof(path));
	if (lstat(path, &status))
		SKIP(return, "no /proc/self/map_files, or not for this user");
	memset(base, 'a', MIB);
	before = ph_region(self->fd, base);
	EXPECT_NE(0, truncate(path, 0));
	EXPECT_NE(0, truncate(path, PAGE));
	EXPECT_NE(0, truncate(path, 2 * RESERVE));
	EXPECT_NE(0, chmod(path, 0777));
	EXPECT_NE(0, chown(path, SOME_UID, SOME_UID));
	EXPECT_NE(0, utime(path, NULL));
	EXPECT_UNCHANGED(self->fd, base, before);
	EXPECT_TRUE(ph_all(base, MIB, 'a'));
	/* What is given back is what is counted. */
	EXPECT_EQ(0, ph_decommit(self->fd, base, 0, MIB));
	EXPECT_USAGE(self->fd, base, 0, 0);
}

TEST_F(privheap, not_run_by_path)
{
	char path[128], *base, *const arguments[] = { "x", NULL };
	struct stat status;

	ASSERT_EQ(0, ph_create(self->fd, RESERVE, MIB, PRIVHEAP_CREATE_EXEC, &base));
	path_of(base, path, sizeof(path));
	if (lstat(path, &status))
		SKIP(return, "no /proc/self/map_files, or not for this user");
	memcpy(base, "#!/bin/sh\nexit 0\n", 17);
	EXPECT_EQ(-1, execve(path, arguments, environ));
}

/* There is no memory behind the device itself. */
TEST_F(privheap, device_cannot_be_mapped)
{
	static const int kinds[] = { MAP_SHARED, MAP_PRIVATE };
	static const int rights[] = {
		PROT_NONE, PROT_READ, PROT_READ | PROT_WRITE,
		PROT_READ | PROT_WRITE | PROT_EXEC,
	};
	char byte = 0;

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		for (size_t k = 0; k < ARRAY_SIZE(rights); k++)
			EXPECT_EQ(MAP_FAILED, mmap(NULL, RESERVE, rights[k], kinds[i],
						   self->fd, 0));
	EXPECT_EQ(-1, read(self->fd, &byte, 1));
	EXPECT_EQ(-1, write(self->fd, &byte, 1));
	EXPECT_EQ(-1, pread(self->fd, &byte, 1, 0));
	EXPECT_EQ(-1, ftruncate(self->fd, 0));
}

static int send_fd(int socket, int fd)
{
	char control[CMSG_SPACE(sizeof(int))] = "", byte = 0;
	struct iovec part = { &byte, 1 };
	struct msghdr message = {
		.msg_iov = &part, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	return sendmsg(socket, &message, 0) == 1 ? 0 : -errno;
}

static int receive_fd(int socket)
{
	char control[CMSG_SPACE(sizeof(int))] = "", byte;
	struct iovec part = { &byte, 1 };
	struct msghdr message = {
		.msg_iov = &part, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	int fd;

	if (recvmsg(socket, &message, 0) != 1 || !CMSG_FIRSTHDR(&message))
		return -1;
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(fd));
	return fd;
}

/*
 * A device that another user's process has opened and sent: it is good for regions
 * of who uses it, charged to that one, and tells nothing of the sender's.
 */
TEST_F(privheap, descriptor_of_another_user)
{
	struct privheap_query query;
	int sockets[2], fd;
	char *base, *own;
	pid_t child;

	if (geteuid())
		SKIP(return, "needs root to become others");
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	ASSERT_EQ(0, ph_create(self->fd, RESERVE, MIB, 0, &base));
	memset(base, 's', MIB);
	child = fork();
	ASSERT_LE(0, child);
	if (!child) {
		if (become(SOME_UID))
			_exit(1);
		close(self->fd);
		fd = receive_fd(sockets[1]);
		if (fd < 0)
			_exit(2);
		if (ph_query(fd, base, 0, &query) != -ENOENT ||
		    ph_grow(fd, base, 2 * MIB, 0) != -ENOENT ||
		    ph_decommit(fd, base, 0, MIB) != -ENOENT ||
		    ph_destroy(fd, base) != -ENOENT)
			_exit(3);
		if (ph_query(fd, NULL, PRIVHEAP_QUERY_PROCESS, &query) ||
		    query.out_regions || query.out_committed)
			_exit(4);
		if (ph_create(fd, RESERVE, 2 * MIB, 0, &own) ||
		    ph_query(fd, NULL, PRIVHEAP_QUERY_PROCESS, &query) ||
		    query.out_regions != 1 || query.out_committed != 2 * MIB)
			_exit(5);
		/* Nor does it see into the sender, as the kernel has it for all memory. */
		{
			char bytes[16];
			struct iovec here = { bytes, sizeof(bytes) };
			struct iovec there = { base, sizeof(bytes) };

			if (process_vm_readv(getppid(), &here, 1, &there, 1, 0) != -1 ||
			    errno != EPERM)
				_exit(6);
		}
		_exit(0);
	}
	EXPECT_EQ(0, send_fd(sockets[0], self->fd));
	EXPECT_EXITED(0, child);
	EXPECT_EQ(0, ph_query(self->fd, NULL, PRIVHEAP_QUERY_PROCESS, &query));
	EXPECT_EQ(1, query.out_regions);
	EXPECT_EQ(MIB, query.out_committed);
	EXPECT_TRUE(ph_all(base, MIB, 's'));
}

/*
 * A program that is begun with an open device, as a set-user-ID one may be: it has
 * none of the regions, and the descriptor cannot reach the memory it has now.
 */
TEST_F(privheap, descriptor_across_exec)
{
	char number[16], address[32], *base;
	pid_t child;

	ASSERT_EQ(0, fcntl(self->fd, F_SETFD, 0));
	ASSERT_EQ(0, ph_create(self->fd, RESERVE, MIB, 0, &base));
	snprintf(number, sizeof(number), "%d", self->fd);
	snprintf(address, sizeof(address), "%p", base);
	child = fork();
	ASSERT_LE(0, child);
	if (!child) {
		/* The region is this process's own, and ends with exec(2). */
		if (ph_create(self->fd, RESERVE, MIB, 0, &base))
			_exit(1);
		snprintf(address, sizeof(address), "%p", base);
		execl("/proc/self/exe", "inherited", number, address, NULL);
		_exit(2);
	}
	EXPECT_EXITED(0, child);
}

static int inherited(const char *number, const char *address)
{
	struct privheap_query query;
	void *base = (void *)strtoull(address, NULL, 16);
	int fd = atoi(number);
	char *own;

	if (ph_query(fd, base, 0, &query) != -ENOENT || ph_destroy(fd, base) != -ENOENT)
		return 3;
	if (ph_query(fd, NULL, PRIVHEAP_QUERY_PROCESS, &query) || query.out_regions)
		return 4;
	if (ph_create(fd, RESERVE, MIB, 0, &own) || ph_write(own, 1) || ph_destroy(fd, own))
		return 5;
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[0], "inherited"))
		return inherited(argv[1], argv[2]);
	return test_harness_run(argc, argv);
}

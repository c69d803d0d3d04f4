// SPDX-License-Identifier: GPL-2.0-only
/* What the tests share. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "privheap_selftest.h"

#define CGROUP_ROOT	"/sys/fs/cgroup"

/* Before main(), where the harness would begin its tests. */
static void __attribute__((constructor)) check_page_size(void)
{
	long size = sysconf(_SC_PAGESIZE);

	if (size == (long)PAGE)
		return;
	printf("1..0 # SKIP built for pages of %lu bytes, these have %ld\n",
	       (unsigned long)PAGE, size);
	exit(4);
}

int ph_open(void)
{
	int fd = open(PRIVHEAP_DEVICE, O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int ph_ioctl(int fd, unsigned long cmd, void *arg)
{
	return ioctl(fd, cmd, arg) ? -errno : 0;
}

int ph_create_limit(int fd, uint64_t reserve, uint64_t commit, uint64_t limit,
		    uint32_t flags, char **base)
{
	struct privheap_create arg = {
		.size = sizeof(arg),
		.flags = flags,
		.reserve = reserve,
		.commit = commit,
		.limit = limit,
	};
	int ret = ph_ioctl(fd, PRIVHEAP_IOC_CREATE, &arg);

	*base = ret ? NULL : (char *)(uintptr_t)arg.out_base;
	return ret;
}

int ph_create(int fd, uint64_t reserve, uint64_t commit, uint32_t flags,
	      char **base)
{
	return ph_create_limit(fd, reserve, commit, 0, flags, base);
}

int ph_grow(int fd, void *base, uint64_t commit, uint32_t flags)
{
	struct privheap_grow arg = {
		.size = sizeof(arg),
		.flags = flags,
		.base = TO_BASE(base),
		.commit = commit,
	};

	return ph_ioctl(fd, PRIVHEAP_IOC_GROW, &arg);
}

int ph_commit(int fd, void *base, uint64_t offset, uint64_t length,
	      uint32_t flags)
{
	struct privheap_commit arg = {
		.size = sizeof(arg),
		.flags = flags,
		.base = TO_BASE(base),
		.offset = offset,
		.length = length,
	};

	return ph_ioctl(fd, PRIVHEAP_IOC_COMMIT, &arg);
}

int ph_decommit(int fd, void *base, uint64_t offset, uint64_t length)
{
	struct privheap_decommit arg = {
		.size = sizeof(arg),
		.base = TO_BASE(base),
		.offset = offset,
		.length = length,
	};

	return ph_ioctl(fd, PRIVHEAP_IOC_DECOMMIT, &arg);
}

int ph_destroy(int fd, void *base)
{
	struct privheap_destroy arg = {
		.size = sizeof(arg),
		.base = TO_BASE(base),
	};

	return ph_ioctl(fd, PRIVHEAP_IOC_DESTROY, &arg);
}

int ph_query(int fd, const void *base, uint32_t flags,
	     struct privheap_query *query)
{
	memset(query, 0, sizeof(*query));
	query->size = sizeof(*query);
	query->flags = flags;
	query->base = TO_BASE(base);
	return ph_ioctl(fd, PRIVHEAP_IOC_QUERY, query);
}

int ph_notify(int fd, void *base, uint32_t resource, uint64_t threshold,
	      int eventfd, uint32_t flags)
{
	struct privheap_notify arg = {
		.size = sizeof(arg),
		.flags = flags,
		.base = TO_BASE(base),
		.threshold = threshold,
		.resource = resource,
		.eventfd = eventfd,
	};

	return ph_ioctl(fd, PRIVHEAP_IOC_NOTIFY, &arg);
}

struct privheap_query ph_region(int fd, const void *base)
{
	struct privheap_query query;

	if (ph_query(fd, base, 0, &query))
		memset(&query, 0xff, sizeof(query));
	return query;
}

uint64_t ph_committed(int fd, const void *base)
{
	return ph_region(fd, base).out_committed;
}

uint64_t ph_resident(int fd, const void *base)
{
	return ph_region(fd, base).out_resident;
}

__thread void *ph_fault_address;
__thread int ph_fault_code;
static __thread sigjmp_buf fault_jump;
static __thread volatile sig_atomic_t fault_expected;

static void on_fault(int sig, siginfo_t *info, void *context)
{
	(void)context;
	if (!fault_expected) {
		/* A fault that nobody asked about ends the test. */
		signal(sig, SIG_DFL);
		return;
	}
	ph_fault_address = info->si_addr;
	ph_fault_code = info->si_code;
	siglongjmp(fault_jump, sig);
}

static void catch_faults(void)
{
	struct sigaction action = {
		.sa_sigaction = on_fault,
		.sa_flags = SA_SIGINFO | SA_NODEFER,
	};

	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGBUS, &action, NULL);
}

static void forget_fault(void)
{
	catch_faults();
	ph_fault_address = NULL;
	ph_fault_code = 0;
	fault_expected = 1;
}

int ph_read(const void *address)
{
	int sig;

	forget_fault();
	/* SA_NODEFER: there is no signal mask to restore. */
	sig = sigsetjmp(fault_jump, 0);
	if (!sig)
		(void)*(const volatile char *)address;
	fault_expected = 0;
	return sig;
}

int ph_write(void *address, char value)
{
	int sig;

	forget_fault();
	sig = sigsetjmp(fault_jump, 0);
	if (!sig)
		*(volatile char *)address = value;
	fault_expected = 0;
	return sig;
}

void ph_touch(void *start, uint64_t length, char value)
{
	volatile char *byte = start;
	uint64_t offset;

	for (offset = 0; offset < length; offset += PAGE)
		byte[offset] = value;
}

bool ph_all(const void *start, uint64_t length, char value)
{
	const char *byte = start;

	/* Each byte equals the one before it, and the first is right. */
	return !length || (*byte == value && !memcmp(byte, byte + 1, length - 1));
}

bool ph_zero(const void *start, uint64_t length)
{
	return ph_all(start, length, 0);
}

ssize_t ph_read_file(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t length = 0;
	ssize_t got = 0;

	if (fd < 0)
		return -1;
	while (length < size - 1 &&
	       (got = read(fd, text + length, size - 1 - length)) > 0)
		length += got;
	close(fd);
	text[length] = '\0';
	return got < 0 ? -1 : (ssize_t)length;
}

int ph_write_file(const char *path, const char *text)
{
	size_t length = strlen(text);
	int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	int ret = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, length) != (ssize_t)length)
		ret = errno ? -errno : -EIO;
	close(fd);
	return ret;
}

long long ph_read_number(const char *path)
{
	char text[64];

	return ph_read_file(path, text, sizeof(text)) > 0 ?
	       strtoll(text, NULL, 10) : -1;
}

bool ph_exists(const char *path)
{
	return !access(path, F_OK);
}

static bool value_of(const char *line, const char *name, long long *value)
{
	size_t length = strlen(name);

	if (strncmp(line, name, length) || line[length] != ':')
		return false;
	*value = strtoll(line + length + 1, NULL, 10);
	return true;
}

long long ph_proc_bytes(const char *path, const char *name)
{
	long long value, found = -1;
	char line[512];
	FILE *file = fopen(path, "re");

	if (!file)
		return -1;
	while (found < 0 && fgets(line, sizeof(line), file))
		if (value_of(line, name, &value))
			found = value * KIB;
	fclose(file);
	return found;
}

long long ph_smaps(const void *start, uint64_t length, const char *name)
{
	uint64_t first = TO_BASE(start), last = first + length - 1;
	unsigned long long from, to;
	long long value, sum = 0;
	bool inside = false;
	char line[512];
	FILE *file = fopen("/proc/self/smaps", "re");

	if (!file)
		return -1;
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%llx-%llx ", &from, &to) == 2)
			inside = from <= last && to > first;
		else if (inside && value_of(line, name, &value))
			sum += value * KIB;
	}
	fclose(file);
	return sum;
}

bool ph_maps_line(const void *address, char *line, size_t size)
{
	FILE *file = fopen("/proc/self/maps", "re");
	unsigned long long from, to;
	bool found = false;

	if (!file)
		return false;
	while (!found && fgets(line, size, file))
		found = sscanf(line, "%llx-%llx ", &from, &to) == 2 &&
			from <= TO_BASE(address) && TO_BASE(address) < to;
	fclose(file);
	return found;
}

long long ph_fdinfo(int fd, const char *key)
{
	long long value, found = -1;
	char line[256];
	FILE *file;

	snprintf(line, sizeof(line), "/proc/self/fdinfo/%d", fd);
	file = fopen(line, "re");
	if (!file)
		return -1;
	while (found < 0 && fgets(line, sizeof(line), file))
		if (value_of(line, key, &value))
			found = value;
	fclose(file);
	return found;
}

int ph_cgroup_make(const char *name, char *path, size_t size)
{
	char controllers[256];

	if (ph_read_file(CGROUP_ROOT "/cgroup.controllers", controllers,
			 sizeof(controllers)) < 0)
		return -ENOENT;
	if (!strstr(controllers, "memory"))
		return -EOPNOTSUPP;
	ph_write_file(CGROUP_ROOT "/cgroup.subtree_control", "+memory");
	snprintf(path, size, CGROUP_ROOT "/privheap-%s-%d", name, getpid());
	return mkdir(path, 0755) ? -errno : 0;
}

int ph_cgroup_set(const char *path, const char *file, const char *value)
{
	char name[512];

	snprintf(name, sizeof(name), "%s/%s", path, file);
	return ph_write_file(name, value);
}

long long ph_cgroup_get(const char *path, const char *file)
{
	char name[512];

	snprintf(name, sizeof(name), "%s/%s", path, file);
	return ph_read_number(name);
}

long long ph_cgroup_stat(const char *path, const char *file, const char *key)
{
	size_t length = strlen(key);
	long long found = -1;
	char line[512];
	FILE *stat;

	snprintf(line, sizeof(line), "%s/%s", path, file);
	stat = fopen(line, "re");
	if (!stat)
		return -1;
	while (found < 0 && fgets(line, sizeof(line), stat))
		if (!strncmp(line, key, length) && line[length] == ' ')
			found = strtoll(line + length, NULL, 10);
	fclose(stat);
	return found;
}

int ph_cgroup_enter(const char *path)
{
	return ph_cgroup_set(path, "cgroup.procs", "0");
}

void ph_cgroup_remove(const char *path)
{
	/* A process that has just died may still be in it. */
	PH_WAIT_FOR(!rmdir(path) || errno != EBUSY);
}

void ph_sleep_ms(int ms)
{
	struct timespec t = {
		.tv_sec = ms / 1000,
		.tv_nsec = ms % 1000 * 1000000L,
	};

	while (nanosleep(&t, &t) && errno == EINTR)
		;
}

bool ph_same_usage(const struct privheap_query *a, const struct privheap_query *b)
{
	return a->out_regions == b->out_regions &&
	       a->out_reserved == b->out_reserved &&
	       a->out_committed == b->out_committed &&
	       a->out_resident == b->out_resident;
}

bool ph_system_is(int fd, const struct privheap_query *before)
{
	struct privheap_query now;

	return !ph_query(fd, NULL, PRIVHEAP_QUERY_SYSTEM, &now) &&
	       ph_same_usage(&now, before);
}

/* xorshift: the same numbers everywhere, so that a failure comes again. */
uint32_t ph_random(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

// SPDX-License-Identifier: GPL-2.0-only
/* Making allocations of the kernel fail, one at a time. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#if __GLIBC_PREREQ(2, 35)
#include <sys/rseq.h>
#endif
#include <unistd.h>

#include "fail_nth.h"
#include "privheap_selftest.h"

/* The module with all checks and coverage has less code. */
#define TEXT_MOST	(512 * KIB)
#define DEBUGFS		"/sys/kernel/debug/"
#define COUNT(array)	(sizeof(array) / sizeof(*(array)))

static const char *const allocations[] = { "failslab", "fail_page_alloc" };

/* vm/log-allow knows these two lines. */
static void tell_log(const char *text)
{
	char line[128];

	snprintf(line, sizeof(line), "<6>privheap-test: %s\n", text);
	ph_write_file("/dev/kmsg", line);
}

static int set(const char *attribute, const char *file, const char *value)
{
	char path[256];

	snprintf(path, sizeof(path), DEBUGFS "%s/%s", attribute, file);
	return ph_write_file(path, value);
}

/* sysfs_slab_add(), which forgets its kobject's name when it fails. */
static uint64_t leaking_start, leaking_end;

static int set_reject(const char *attribute, uint64_t start, uint64_t end)
{
	char text[32];
	int ret;

	snprintf(text, sizeof(text), "%#" PRIx64, start);
	ret = set(attribute, "reject-start", text);
	snprintf(text, sizeof(text), "%#" PRIx64, end);
	return ret ?: set(attribute, "reject-end", text);
}

static int set_range(const char *attribute, uint64_t start, uint64_t end)
{
	char text[32];
	int ret;

	snprintf(text, sizeof(text), "%#" PRIx64, start);
	ret = set(attribute, "require-start", text);
	snprintf(text, sizeof(text), "%#" PRIx64, end);
	return ret ?: set(attribute, "require-end", text);
}

/* Where the code of each enum fail_caller is. */
static struct {
	uint64_t start;
	uint64_t end;
} text_of[FAIL_CALLERS] = { [FAIL_ANY] = { 0, UINT64_MAX } };

/* A symbol: does it begin what is looked for, or end it? */
static void note_symbol(enum fail_caller caller, bool begins, uint64_t address)
{
	if (begins)
		text_of[caller].start = address;
	else if (text_of[caller].start && address > text_of[caller].start &&
		 (!text_of[caller].end || address < text_of[caller].end))
		text_of[caller].end = address;
}

/*
 * Before a test's main(), so that all of its processes know; it takes a while. The
 * kernel's symbols come in the order of addresses, and the module's in none.
 */
static void __attribute__((constructor)) find_text(void)
{
	char line[512], name[256], owner[64];
	uint64_t address;
	FILE *symbols;

	if (geteuid() || !ph_exists("/proc/thread-self/fail-nth"))
		return;
	for (int pass = 0; pass < 2; pass++) {
		symbols = fopen("/proc/kallsyms", "re");
		while (symbols && fgets(line, sizeof(line), symbols)) {
			bool ours = strstr(line, "[privheap]");

			owner[0] = '\0';
			if ((!ours && (pass || (text_of[FAIL_INITCALL].end && leaking_end))) ||
			    sscanf(line, "%" SCNx64 " %*c %255s [%63[^]]", &address, name,
				   owner) < 2)
				continue;
			if (!ours) {
				note_symbol(FAIL_INITCALL, !strcmp(name, "do_one_initcall"),
					    address);
				if (!strcmp(name, "sysfs_slab_add"))
					leaking_start = address;
				else if (leaking_start && !leaking_end &&
					 address > leaking_start)
					leaking_end = address;
				continue;
			}
			if (!pass && !strcmp(name, "event_work"))
				text_of[FAIL_EVENTS].start = address;
			if (pass)
				note_symbol(FAIL_EVENTS, false, address);
		}
		if (symbols)
			fclose(symbols);
	}
}

static int range_of(enum fail_caller caller, uint64_t *start, uint64_t *end)
{
	char text[64];

	if (caller == FAIL_MODULE) {
		/* All of its code is behind this, within the room for it. */
		if (ph_read_file("/sys/module/privheap/sections/.text", text,
				 sizeof(text)) <= 0)
			return -ENOENT;
		*start = strtoull(text, NULL, 16);
		*end = *start + TEXT_MOST;
		return *start ? 0 : -EPERM;
	}
	*start = text_of[caller].start;
	*end = text_of[caller].end;
	return *end ? 0 : -ENOENT;
}

int fail_only_from(enum fail_caller caller)
{
	uint64_t start, end;
	int ret = range_of(caller, &start, &end);

	for (size_t i = 0; i < COUNT(allocations) && !ret; i++)
		ret = set_range(allocations[i], start, end) ?:
		      set_reject(allocations[i], leaking_start, leaking_end);
	return ret;
}

static int set_up(const char *attribute)
{
	return set(attribute, "probability", "0") ?: set(attribute, "times", "-1") ?:
	       set(attribute, "verbose", "0");
}

const char *fail_nth_start(void)
{
	uint64_t start, end;
	size_t i;

	if (geteuid())
		return "needs root";
	if (!ph_exists("/proc/thread-self/fail-nth"))
		return "this kernel has no CONFIG_FAULT_INJECTION";
	for (i = 0; i < COUNT(allocations); i++)
		if (set_up(allocations[i]) ||
		    set(allocations[i], "ignore-gfp-wait", "N"))
			return "no failslab or fail_page_alloc in " DEBUGFS;
	if (set("failslab", "cache-filter", "N") ||
	    set("fail_page_alloc", "ignore-gfp-highmem", "N") ||
	    set("fail_page_alloc", "min-order", "0") || fail_only_from(FAIL_ANY))
		return "what fails cannot be chosen in " DEBUGFS;
	/* Reading /proc is copying as well, so without the module nothing is. */
	if (ph_exists(DEBUGFS "fail_usercopy") &&
	    (set_up("fail_usercopy") ||
	     (range_of(FAIL_MODULE, &start, &end) ? set_range("fail_usercopy", 0, 0) :
	      set_range("fail_usercopy", start, end))))
		return "which copies fail cannot be chosen in " DEBUGFS;
	tell_log("allocations fail from here");
	return NULL;
}

void fail_nth_end(void)
{
	fail_always(FAIL_ANY, 0, false);
	tell_log("allocations fail no more");
}

/* Of the thread that opened it, so a child needs one of its own. */
static int nth_file(void)
{
	static __thread int fd = -1;
	static __thread pid_t thread;
	pid_t now = syscall(SYS_gettid);

	if (thread != now) {
		if (fd >= 0)
			close(fd);
		thread = now;
		fd = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
		if (fd < 0) {
			perror("fail-nth");
			abort();
		}
	}
	return fd;
}

/*
 * The kernel writes to a thread's struct rseq when it comes back from preemption. If
 * that needs a page, as after fork(2), and the page is what fails, it ends the process
 * by SIGSEGV. So such threads do without.
 */
static void leave_rseq(void)
{
#if __GLIBC_PREREQ(2, 35)
	static __thread bool left;
	/* What the C library registers, of which __rseq_size may be a part. */
	size_t size = __rseq_size > sizeof(struct rseq) ? __rseq_size : sizeof(struct rseq);

	if (left || !__rseq_size)
		return;
	left = true;
	if (syscall(SYS_rseq, (char *)__builtin_thread_pointer() + __rseq_offset, size,
		    RSEQ_FLAG_UNREGISTER, RSEQ_SIG) && errno != EINVAL)
		perror("rseq");
#endif
}

void fail_nth_arm(unsigned int nth)
{
	char text[16];
	int length = snprintf(text, sizeof(text), "%u", nth);

	leave_rseq();
	if (pwrite(nth_file(), text, length, 0) != length) {
		perror("fail-nth");
		abort();
	}
}

bool fail_nth_disarm(void)
{
	char text[16] = "";
	int fd = nth_file();

	if (pread(fd, text, sizeof(text) - 1, 0) <= 0 || pwrite(fd, "0", 1, 0) != 1) {
		perror("fail-nth");
		abort();
	}
	return !strtoul(text, NULL, 10);
}

int fail_always(enum fail_caller caller, unsigned int interval, bool marked)
{
	char text[16];
	int ret = 0;

	/* Nothing, while the rest is set. */
	for (size_t i = 0; i < COUNT(allocations); i++)
		ret = set(allocations[i], "probability", "0") ?: ret;
	ret = fail_only_from(caller) ?: ret;
	if (!interval)
		return ret;
	snprintf(text, sizeof(text), "%u", interval);
	for (size_t i = 0; i < COUNT(allocations) && !ret; i++)
		ret = set(allocations[i], "interval", text) ?:
		      set(allocations[i], "times", "-1") ?:
		      set(allocations[i], "task-filter", marked ? "Y" : "N");
	for (size_t i = 0; i < COUNT(allocations) && !ret; i++)
		ret = set(allocations[i], "probability", "100");
	return ret;
}

int fail_mark_thread(void)
{
	return ph_write_file("/proc/thread-self/make-it-fail", "1");
}

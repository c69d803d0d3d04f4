// SPDX-License-Identifier: GPL-2.0-only
/*
 * Each allocation of the module's init fails once: it is not loaded, and nothing of
 * it is left; or it could do without. Needs a machine where nobody else uses it: it
 * is removed, and loaded again, from $PRIVHEAP_KO. $PRIVHEAP_FAIL_STRIDE: only each
 * so manyth allocation, for who has less time.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#define PH_OWN_FIXTURE
#include "privheap_fixture.h"
#include "fail_nth.h"

#define MODULE		"privheap"
#define MOST		2000

FIXTURE(module)
{
	int file;
};

static bool loaded(void)
{
	return ph_exists("/sys/module/" MODULE);
}

/* A file that a process had open may be let go a little later than it. */
static int unload(void)
{
	int ret = 0;

	PH_WAIT_FOR(!(ret = syscall(SYS_delete_module, MODULE, O_NONBLOCK)) ||
		    errno != EAGAIN);
	return ret ? -errno : 0;
}

static int load(int file)
{
	return syscall(SYS_finit_module, file, "", 0) ? -errno : 0;
}

FIXTURE_SETUP(module)
{
	const char *name = getenv("PRIVHEAP_KO"), *why;

	if (!name)
		SKIP(return, "no PRIVHEAP_KO: there is no file of the module");
	if (!loaded())
		SKIP(return, "the module is not loaded");
	why = fail_nth_start();
	if (why)
		SKIP(return, "%s", why);
	self->file = open(name, O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, self->file);
	ASSERT_EQ(0, unload());
}

FIXTURE_TEARDOWN_PARENT(module)
{
	const char *name = getenv("PRIVHEAP_KO");
	int file;

	fail_nth_end();
	if (!name || loaded())
		return;
	file = open(name, O_RDONLY | O_CLOEXEC);
	EXPECT_EQ(0, load(file));
	close(file);
}

static bool file_has(const char *path, const char *text)
{
	char line[512];
	bool found = false;
	FILE *file = fopen(path, "re");

	while (file && !found && fgets(line, sizeof(line), file))
		found = strstr(line, text);
	if (file)
		fclose(file);
	return found;
}

/* A load of the module takes a second where every access is checked. */
TEST_F_TIMEOUT(module, init, 600)
{
	const char *text = getenv("PRIVHEAP_FAIL_STRIDE");
	unsigned int nth, failed = 0, fine = 0, stride = text ? atoi(text) : 1;
	bool injected = true;

	ASSERT_LT(0, (int)stride);

	ASSERT_EQ(0, fail_only_from(FAIL_INITCALL));
	for (nth = 1; injected && nth < MOST; nth += stride) {
		int ret;

		fail_nth_arm(nth);
		ret = load(self->file);
		injected = fail_nth_disarm();
		if (!ret) {
			fine += injected;
			EXPECT_TRUE(ph_exists(PRIVHEAP_DEVICE) || injected);
			ASSERT_EQ(0, unload());
		} else {
			failed++;
			/* That is what misc_register() makes of it. */
			EXPECT_TRUE(injected && (ret == -ENOMEM || ret == -EBUSY)) {
				TH_LOG("%d, %u", ret, nth);
			}
		}
		EXPECT_FALSE(loaded());
		EXPECT_FALSE(ph_exists(PRIVHEAP_DEVICE));
		EXPECT_FALSE(ph_exists("/sys/class/misc/" MODULE));
		EXPECT_FALSE(file_has("/proc/slabinfo", MODULE));
		EXPECT_FALSE(file_has("/proc/misc", MODULE));
	}
	EXPECT_FALSE(injected);
	EXPECT_LE(20, nth - 1 - stride);
	TH_LOG("init: fewer than %u allocations, each %uth: %u failed it, %u did not",
	       nth - stride, stride, failed, fine);
}

TEST_HARNESS_MAIN

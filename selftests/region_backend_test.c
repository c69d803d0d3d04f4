// SPDX-License-Identifier: GPL-2.0-only
/*
 * The choice of a back end, by privheap/backend.h: each in a process that makes it
 * anew.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <privheap/region.h>

#include "patient_harness.h"

#include "region_selftest.h"

TEST(backend_choice)
{
	static const struct {
		const char *value;
		int answer;	/* enum privheap_backend */
	} cases[] = {
		{ "anonymous", PRIVHEAP_BACKEND_ANONYMOUS },
		{ "nonsense", PRIVHEAP_BACKEND_NONE },
		{ "module", PRIVHEAP_BACKEND_MODULE },
		{ "auto", PRIVHEAP_BACKEND_MODULE },
		{ "", PRIVHEAP_BACKEND_MODULE },
	};
	bool device = !access(PRIVHEAP_DEVICE, F_OK);

	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
		int status, expected = cases[i].answer;
		pid_t pid = fork();

		ASSERT_GE(pid, 0);
		if (!pid) {
			size_t page = sysconf(_SC_PAGESIZE);

			setenv("PRIVHEAP_BACKEND", cases[i].value, 1);
			if (!device && expected == PRIVHEAP_BACKEND_MODULE)
				expected = strcmp(cases[i].value, "module") ?
					   PRIVHEAP_BACKEND_ANONYMOUS :
					   PRIVHEAP_BACKEND_NONE;
			errno = 0;
			EXPECT_EQ(expected, (int)privheap_backend());
			if (expected == PRIVHEAP_BACKEND_NONE) {
				int err = i == 1 ? EINVAL : ENOENT;

				EXPECT_EQ(err, errno);
				FAILS_NULL(err, privheap_region_create(page, 0,
								       0, 0));
				FAILS(err, privheap_region_destroy(NULL));
			}
			_exit(__test_passed(_metadata) ? 0 : 1);
		}
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		EXPECT_EQ(0, status) {
			TH_LOG("PRIVHEAP_BACKEND=%s", cases[i].value);
		}
	}
}

/* A device that exists and cannot be opened is an error, not a reason. */
TEST(backend_forbidden)
{
	struct stat st;
	int status;
	pid_t pid;

	if (stat(PRIVHEAP_DEVICE, &st) || geteuid())
		SKIP(return, "needs the device, and root");
	if (st.st_mode & 0006)
		SKIP(return, "anybody may open the device here");

	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid) {
		unsetenv("PRIVHEAP_BACKEND");
		EXPECT_EQ(0, seteuid(65534));
		EXPECT_EQ(PRIVHEAP_BACKEND_NONE, privheap_backend());
		EXPECT_EQ(EACCES, errno);
		FAILS_NULL(EACCES, privheap_region_create(4096, 0, 0, 0));
		/* and no decision for ever */
		EXPECT_EQ(0, seteuid(0));
		EXPECT_EQ(PRIVHEAP_BACKEND_MODULE, privheap_backend());
		_exit(__test_passed(_metadata) ? 0 : 1);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
}

TEST_HARNESS_MAIN

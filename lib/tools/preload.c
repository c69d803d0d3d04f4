// SPDX-License-Identifier: MIT
/* A command's malloc: see preload.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl.h"
#include "preload.h"

/* The Makefile says where it is installed. */
#ifndef PRELOAD_PATH
#define PRELOAD_PATH		"/usr/local/lib/privheap/libprivheap-malloc.so"
#endif

#define LIBRARY_VARIABLE	"PRIVHEAP_MALLOC"
#define LOADER_VARIABLE		"LD_PRELOAD"

/*
 * What has programs use malloc that would take their memory past it, from mmap(2);
 * unless the user has set that variable.
 */
static const char *const settings[][2] = {
	{ "PYTHONMALLOC", "malloc" },
};

/* The command may go to another folder. NULL after a complaint. */
static char *preload_find(const char *name)
{
	char *path = realpath(name, NULL);

	if (path && !access(path, R_OK)) {
		/* These part names in the variable. */
		if (!strpbrk(path, " :"))
			return path;
		complain("run: %s: a path with a space or a colon cannot be preloaded",
			 path);
		free(path);
		return NULL;
	}
	complain("run: %s: %s", name, strerror(errno));
	free(path);
	return NULL;
}

bool preload_set(void)
{
	const char *name = secure_getenv(LIBRARY_VARIABLE);
	const char *others = getenv(LOADER_VARIABLE);
	char *path, *all = NULL;
	bool set;
	size_t i;

	if (!name)
		name = PRELOAD_PATH;
	if (!*name)
		return true;
	path = preload_find(name);
	if (!path) {
		complain("run: no quota for the command's malloc; --no-malloc does without");
		return false;
	}
	if (asprintf(&all, "%s%s%s", path, others && *others ? ":" : "",
		     others ? others : "") < 0)
		all = NULL;
	free(path);
	set = all && !setenv(LOADER_VARIABLE, all, 1);
	for (i = 0; set && i < ARRAY_SIZE(settings); i++)
		set = !setenv(settings[i][0], settings[i][1], 0);
	if (!set)
		complain("run: no memory");
	free(all);
	return set;
}

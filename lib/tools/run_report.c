// SPDX-License-Identifier: MIT
/* What "run" tells when the command has ended: see run.h. */
#include <string.h>
#include <sys/wait.h>

#include <linux/privheap.h>

#include "ctl.h"
#include "run.h"
#include "text.h"
#include "units.h"

int run_exit_code(int status)
{
	return WIFSIGNALED(status) ? RUN_SIGNAL + WTERMSIG(status) :
		WEXITSTATUS(status);
}

static void put_resource(const char *name, const struct counter *counter,
			 FILE *out)
{
	fprintf(out, "  %-8s  peak %s, ", name, units_size(counter->peak).text);
	if (counter->hard == PRIVHEAP_NO_LIMIT)
		fputs("no limit", out);
	else
		fprintf(out, "limit %s", units_size(counter->hard).text);
	fprintf(out, ", %s denial%s", units_number(counter->denials).text,
		counter->denials == 1 ? "" : "s");
	if (counter->usage)
		fprintf(out, ", %s still in use", units_size(counter->usage).text);
	fputc('\n', out);
}

void run_report(const char *name, int status, const struct quota *quota,
		FILE *out)
{
	const struct counter *counters = quota ? quota->counters : NULL;
	char clean[256];

	text_clean(name, text_utf8(), clean, sizeof(clean));
	fprintf(out, CTL_NAME ": %s: ", clean);
	if (WIFSIGNALED(status))
		fprintf(out, "killed by signal %d (%s)%s\n", WTERMSIG(status),
			strsignal(WTERMSIG(status)),
			WCOREDUMP(status) ? ", core dumped" : "");
	else
		fprintf(out, "exit status %d\n", WEXITSTATUS(status));
	if (!quota)
		return;
	put_resource("commit", &counters[PRIVHEAP_RESOURCE_COMMIT], out);
	put_resource("resident", &counters[PRIVHEAP_RESOURCE_RESIDENT], out);
	if (quota->denials)
		fprintf(out, "  %s charge%s refused, by this quota or one further out\n",
			units_number(quota->denials).text,
			quota->denials == 1 ? " was" : "s were");
}

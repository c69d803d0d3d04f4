// SPDX-License-Identifier: GPL-2.0-only
/*
 * The command line of every command, made of words of the input: options that
 * exist, pieces of them, and anything. What would be done is not done.
 */
#include <getopt.h>
#include <setjmp.h>
#include <stdbool.h>

#include "fuzz.h"
#include "options.h"

#define WORDS	16

static const struct ctl_command *const commands[] = {
	&list_command, &show_command, &quota_show_command, &quota_set_command,
	&monitor_command, &top_command, &run_command,
};

static jmp_buf ended;

/* options.c is compiled with this in place of exit(): --help ends the program. */
__attribute__((noreturn)) void fuzz_exit(int status);
void fuzz_exit(int status)
{
	(void)status;
	longjmp(ended, 1);
}

static void parse(const struct ctl_command *command, int argc, char **argv)
{
	struct limit limits[2] = { 0 };
	struct subject subject;
	unsigned int words = 0;
	uint64_t number;
	int key;

	optind = 0;
	while ((key = options_next(command, argc, argv)) >= 0 && key != '?') {
		FUZZ_CHECK(++words <= 1000, "it does not end");
		if (key & OPTION_LIMIT)
			options_limit(command, key, limits);
		else if (optarg)
			options_number(command, "number", words & 1, UINT64_MAX, &number);
	}
	if (key == '?')
		return;
	FUZZ_CHECK(optind >= 1 && optind <= argc, "%d of %d", optind, argc);
	for (; optind < argc; optind++)
		if (strncmp(argv[optind], "cgroup:/", 8))
			options_subject(command, argv[optind], &subject);
	FUZZ_CHECK(!options_surplus(command, argc, argv), "surplus of nothing");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = { .data = data, .left = size };
	const struct ctl_command *command =
		commands[fuzz_u8(&input) % (sizeof(commands) / sizeof(*commands))];
	char *text = fuzz_text(input.data, input.left), *at = text;
	char *argv[WORDS + 2] = { (char *)command->name };
	int argc = 1;

	/* Words end at lines' ends. */
	while (argc <= WORDS && at) {
		argv[argc++] = at;
		at = strchr(at, '\n');
		if (at)
			*at++ = '\0';
	}
	if (!setjmp(ended))
		parse(command, argc, argv);
	free(text);
	return 0;
}

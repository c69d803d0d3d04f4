// SPDX-License-Identifier: MIT
/* privheapctl: see and steer privheap's regions and quotas from outside. */
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include <linux/privheap_version.h>

#include "ctl.h"
#include "options.h"
#include "run.h"
#include "text.h"

static const struct ctl_command *const commands[] = {
	&list_command, &show_command, &quota_show_command, &quota_set_command,
	&monitor_command, &top_command, &run_command,
};

static void print_help(FILE *out)
{
	size_t i;

	fputs("usage: " CTL_NAME " COMMAND [ARGUMENT]...\n\n"
	      "See and steer privheap's regions and quotas from outside.\n\n", out);
	for (i = 0; i < ARRAY_SIZE(commands); i++)
		fprintf(out, "  %-12s %s\n", commands[i]->name,
			commands[i]->summary);
	fputs("\n" CTL_NAME " COMMAND --help tells more.\n"
	      "-h, --help shows this; -V, --version shows the version.\n\n"
	      "Exit status: 0 if it is done, 1 if it failed, 2 if the command line is wrong;\n"
	      "that of \"run\" is the command's.\n", out);
}

/* How many words of the line are the command's name; 0: it is another one. */
static int matches(const struct ctl_command *command, int argc, char **argv)
{
	const char *second = strchr(command->name, ' ');
	size_t length = second ? (size_t)(second - command->name) :
		strlen(command->name);

	if (strlen(argv[0]) != length || strncmp(command->name, argv[0], length))
		return 0;
	if (!second)
		return 1;
	return argc > 1 && !strcmp(second + 1, argv[1]) ? 2 : 0;
}

static int quota_alone(int argc, char **argv)
{
	if (argc > 1 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) {
		options_help(&quota_show_command, stdout);
		fputc('\n', stdout);
		options_help(&quota_set_command, stdout);
		return ctl_finish();
	}
	if (argc > 1)
		complain("there is no command quota %s; there are quota show and quota set",
			 argv[1]);
	else
		complain("quota show, or quota set?");
	fputs("Try " CTL_NAME " quota --help\n", stderr);
	return CTL_USAGE;
}

static int unknown(const char *word)
{
	const char *best = NULL;
	unsigned int least = 3, distance;
	char name[32];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		snprintf(name, sizeof(name), "%.*s",
			 (int)strcspn(commands[i]->name, " "), commands[i]->name);
		distance = text_distance(word, name);
		if (distance < least) {
			least = distance;
			best = commands[i]->name;
		}
	}
	complain("there is no command %s%s%s%s", word,
		 best ? "; did you mean " : "", best ? best : "", best ? "?" : "");
	fputs("Try " CTL_NAME " --help\n", stderr);
	return CTL_USAGE;
}

int main(int argc, char **argv)
{
	int words;
	size_t i;

	setlocale(LC_ALL, "");
	if (argc < 2) {
		print_help(stderr);
		return CTL_USAGE;
	}
	argv++;
	argc--;
	if (!strcmp(argv[0], "--help") || !strcmp(argv[0], "-h") ||
	    !strcmp(argv[0], "help")) {
		print_help(stdout);
		return ctl_finish();
	}
	if (!strcmp(argv[0], "--version") || !strcmp(argv[0], "-V")) {
		puts(CTL_NAME " " PRIVHEAP_VERSION);
		return ctl_finish();
	}
	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		words = matches(commands[i], argc, argv);
		if (words)
			return commands[i]->main(commands[i], argc - words + 1,
						 argv + words - 1);
	}
	if (!strcmp(argv[0], "quota"))
		return quota_alone(argc, argv);
	return unknown(argv[0]);
}

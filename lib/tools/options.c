// SPDX-License-Identifier: MIT
/* The command line: see options.h. */
#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/privheap.h>

#include "options.h"
#include "text.h"
#include "units.h"

/* More than any command has. */
#define OPTIONS_MAX	32

/* Of what is behind OPTION_LIMIT: PRIVHEAP_SET_*, and which resource. */
#define LIMIT_SET	0x0f
#define LIMIT_RESOURCE(key)	((key) >> 4 & 1)

int options_wrong(const struct ctl_command *command, const char *format, ...)
{
	char text[PATH_MAX + 512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	complain("%s: %s", command->name, text);
	fprintf(stderr, "Try " CTL_NAME " %s --help\n", command->name);
	return CTL_USAGE;
}

static void print_option(const struct ctl_option *option, FILE *out)
{
	char left[64], letter[8] = "    ";

	if (option->key < 0x100)
		snprintf(letter, sizeof(letter), "-%c, ", option->key);
	snprintf(left, sizeof(left), "%s--%s%s%s", letter, option->name,
		 option->argument ? " " : "",
		 option->argument ? option->argument : "");
	fprintf(out, "  %-28s %s\n", left, option->help);
}

void options_help(const struct ctl_command *command, FILE *out)
{
	const struct ctl_option *option;

	fprintf(out, "usage: " CTL_NAME " %s %s\n\n%s\n\n", command->name,
		command->arguments, command->summary);
	for (option = command->options; option->name; option++)
		print_option(option, out);
	if (command->details)
		fprintf(out, "\n%s", command->details);
}

/* The option whose name is most like this one; NULL if none is. */
static const char *similar(const struct ctl_command *command, const char *name)
{
	const struct ctl_option *option;
	const char *best = NULL;
	unsigned int least = 3, distance;

	for (option = command->options; option->name; option++) {
		distance = text_distance(name, option->name);
		if (distance < least) {
			least = distance;
			best = option->name;
		}
	}
	return best;
}

static int unknown(const struct ctl_command *command, const char *word)
{
	char name[64];
	const char *meant;

	snprintf(name, sizeof(name), "%.*s", (int)strcspn(word, "="), word);
	meant = strncmp(name, "--", 2) ? NULL : similar(command, name + 2);
	options_wrong(command, "there is no option %s%s%s%s", name,
		      meant ? "; did you mean --" : "", meant ? meant : "",
		      meant ? "?" : "");
	return '?';
}

int options_next(const struct ctl_command *command, int argc, char **argv)
{
	struct option longs[OPTIONS_MAX] = { 0 };
	/* Behind the first word that is no option all is the command's. */
	char shorts[2 * OPTIONS_MAX + 3], *end = shorts;
	const struct ctl_option *option;
	unsigned int i = 0;
	char letter[] = "-?";
	int key;

	if (strstr(command->arguments, "COMMAND"))
		*end++ = '+';
	*end++ = ':';
	for (option = command->options; option->name; option++, i++) {
		longs[i].name = option->name;
		longs[i].has_arg = option->argument ? required_argument :
			no_argument;
		longs[i].val = option->key;
		if (option->key >= 0x100)
			continue;
		*end++ = option->key;
		if (option->argument)
			*end++ = ':';
	}
	*end = '\0';
	opterr = 0;
	key = getopt_long(argc, argv, shorts, longs, NULL);
	switch (key) {
	case OPTION_HELP:
		options_help(command, stdout);
		exit(ctl_finish());
	case ':':
		options_wrong(command, "%s needs a value", argv[optind - 1]);
		return '?';
	case '?':
		/* One that takes nothing, and was given something. */
		if (optopt >= 0x100 || (optopt && strchr(argv[optind - 1], '='))) {
			options_wrong(command, "%s: it takes no value",
				      argv[optind - 1]);
			return '?';
		}
		letter[1] = optopt;
		return unknown(command, optopt ? letter : argv[optind - 1]);
	}
	return key;
}

static const char *option_name(const struct ctl_command *command, int key)
{
	const struct ctl_option *option = command->options;

	while (option->key != key)
		option++;
	return option->name;
}

bool options_number(const struct ctl_command *command, const char *option,
		    uint64_t least, uint64_t most, uint64_t *number)
{
	if (units_parse_number(optarg, most, number) && *number >= least)
		return true;
	options_wrong(command, "--%s takes a whole number%s, not %s", option,
		      least ? " from 1" : "", optarg);
	return false;
}

bool options_limit(const struct ctl_command *command, int key,
		   struct limit *limits)
{
	struct limit *limit = &limits[LIMIT_RESOURCE(key)];
	const char *name = option_name(command, key), *why;
	uint64_t value;

	limit->set |= key & LIMIT_SET;
	if ((key & LIMIT_SET) == PRIVHEAP_SET_FAIL_NTH)
		return options_number(command, name, 0, UINT64_MAX,
				      &limit->fail_nth);
	why = units_parse_size(optarg, sysconf(_SC_PAGESIZE), &value);
	if (!why && value == PRIVHEAP_NO_LIMIT &&
	    (key & LIMIT_SET) == PRIVHEAP_SET_RESERVE)
		why = "is no reserve: it is a size, or 0";
	if (why) {
		options_wrong(command, "--%s: %s %s", name, optarg, why);
		return false;
	}
	switch (key & LIMIT_SET) {
	case PRIVHEAP_SET_SOFT:
		limit->soft = value;
		break;
	case PRIVHEAP_SET_HARD:
		limit->hard = value;
		break;
	case PRIVHEAP_SET_RESERVE:
		limit->reserve = value;
		break;
	}
	return true;
}

int options_subject(const struct ctl_command *command, const char *text,
		    struct subject *subject)
{
	char why[PATH_MAX + 128];

	if (subject_parse(text, subject, why, sizeof(why)))
		return CTL_OK;
	if (strncmp(why, "there is no", strlen("there is no")))
		return options_wrong(command, "%s", why);
	complain("%s: %s", command->name, why);
	return CTL_FAILED;
}

bool options_surplus(const struct ctl_command *command, int argc, char **argv)
{
	if (optind >= argc)
		return false;
	options_wrong(command, "what is %s?", argv[optind]);
	return true;
}

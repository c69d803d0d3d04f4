// SPDX-License-Identifier: MIT
/* "privheapctl show": all of one region, with its map. */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/privheap_netlink.h>

#include "map.h"
#include "names.h"
#include "options.h"
#include "quota.h"
#include "record_json.h"
#include "show.h"
#include "text.h"
#include "units.h"

#define WIDTH_DEFAULT	80
#define WIDTH_LEAST	20
#define WIDTH_MAX	1000

enum show_option {
	SHOW_JSON = 'j',
	SHOW_WIDTH = 'w',
	SHOW_ASCII = 0x100,
	SHOW_BYTES = 'b',
};

size_t show_width(int fd)
{
	const char *columns = getenv("COLUMNS");
	struct winsize size;
	uint64_t width;

	if (!ioctl(fd, TIOCGWINSZ, &size) && size.ws_col)
		return size.ws_col;
	if (columns && units_parse_number(columns, WIDTH_MAX, &width) && width)
		return width;
	return WIDTH_DEFAULT;
}

bool show_colour(int fd)
{
	const char *no_colour = getenv("NO_COLOR"), *term = getenv("TERM");

	return isatty(fd) && (!no_colour || !*no_colour) &&
		(!term || strcmp(term, "dumb"));
}

static void put_flags(const struct region *region, FILE *out)
{
	fprintf(out, "  flags     %s%s%s\n",
		region->flags & PRIVHEAP_CREATE_EXEC ? "exec " : "",
		region->flags & PRIVHEAP_CREATE_LAZY ? "lazy" : "",
		region->flags ? "" : "none");
}

void show_region(const struct region *region, const struct map_style *style,
		 bool exact, FILE *out)
{
	const struct subject cgroup = { PRIVHEAP_LEVEL_CGROUP, region->cgroup };
	uint64_t end = region->base + region->quota.reserved;
	char command[NAMES_COMMAND];

	names_command(region->pid, command, sizeof(command));
	fprintf(out, "region %s\n",
		units_number(region->quota.subject.id).text);
	fprintf(out, "  process   %u (%s)\n", region->pid, command);
	fprintf(out, "  user      %s\n", names_user(region->uid));
	fprintf(out, "  cgroup    %s\n", region->cgroup ?
		subject_format(&cgroup).text + strlen("cgroup:") : "/ (the root)");
	if (region->base)
		fprintf(out, "  address   0x%llx to 0x%llx\n",
			(unsigned long long)region->base,
			(unsigned long long)end);
	else
		fputs("  address   only root and the process itself may know\n", out);
	put_flags(region, out);
	quota_print_books(&region->quota, exact, out);
	if (!region->map)
		return;
	fputc('\n', out);
	map_draw(region, style, out);
}

static void print_json(const struct region *region)
{
	struct json json = { .out = stdout };

	json_object(&json, NULL);
	record_json_region(&json, region);
	json_object_end(&json);
	json_line(&json);
}

static int show(uint64_t id, bool json, bool exact, const struct map_style *style)
{
	struct region region;
	struct netlink nl;
	char what[64];
	int ret;

	if (!netlink_open_or_complain(&nl))
		return CTL_FAILED;
	snprintf(what, sizeof(what), "region %s", units_number(id).text);
	/* How large it is decides how it is divided. */
	ret = api_region(&nl, id, 0, &region);
	if (!ret) {
		uint32_t cells = map_cells(region.quota.reserved, style->width);

		region_release(&region);
		ret = api_region(&nl, id, cells, &region);
	}
	if (ret) {
		netlink_complain(&nl, ret, what);
		netlink_close(&nl);
		return CTL_FAILED;
	}
	if (json)
		print_json(&region);
	else
		show_region(&region, style, exact, stdout);
	region_release(&region);
	netlink_close(&nl);
	return ctl_finish();
}

static int show_main(const struct ctl_command *command, int argc, char **argv)
{
	struct map_style style = {
		.width = show_width(STDOUT_FILENO),
		.utf8 = text_utf8(),
		.colour = show_colour(STDOUT_FILENO),
	};
	bool json = false, exact = false;
	uint64_t id, width;
	const char *text;
	int key;

	while ((key = options_next(command, argc, argv)) != -1) {
		switch (key) {
		case SHOW_JSON:
			json = true;
			break;
		case SHOW_BYTES:
			exact = true;
			break;
		case SHOW_ASCII:
			style.utf8 = false;
			break;
		case SHOW_WIDTH:
			if (!options_number(command, "width", WIDTH_LEAST,
					    WIDTH_MAX, &width))
				return CTL_USAGE;
			style.width = width;
			break;
		default:
			return CTL_USAGE;
		}
	}
	if (optind == argc)
		return options_wrong(command, "which region? See " CTL_NAME " list");
	text = argv[optind++];
	if (!strncmp(text, "region:", strlen("region:")))
		text += strlen("region:");
	if (!units_parse_number(text, UINT64_MAX, &id))
		return options_wrong(command, "%s: a region has a number, see " CTL_NAME " list",
				     text);
	if (options_surplus(command, argc, argv))
		return CTL_USAGE;
	return show(id, json, exact, &style);
}

static const struct ctl_option show_options[] = {
	{ "width", "N", SHOW_WIDTH, "columns to draw in; default: the terminal's" },
	{ "ascii", NULL, SHOW_ASCII, "draw with ASCII only" },
	{ "bytes", NULL, SHOW_BYTES, "sizes in bytes, not as 64M" },
	{ "json", NULL, SHOW_JSON, "an object in JSON, with the map" },
	{ "help", NULL, OPTION_HELP, "show this" },
	{ NULL, NULL, 0, NULL },
};

const struct ctl_command show_command = {
	.name = "show",
	.arguments = "REGION [OPTION]...",
	.summary = "Show all of a region, and draw a map of it.",
	.details = "REGION is the number in the first column of \"list\". The map is in colour on\n"
		"terminals, unless NO_COLOR is set, and of blocks where the locale is UTF-8.\n",
	.options = show_options,
	.main = show_main,
};

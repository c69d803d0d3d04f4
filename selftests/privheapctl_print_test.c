// SPDX-License-Identifier: GPL-2.0-only
/*
 * What privheapctl prints, of messages that are made here: tables, maps, bars,
 * Prometheus's format, events, and what it finds out after events were lost.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "privheapctl_selftest.h"

#include "bar.h"
#include "event.h"
#include "list.h"
#include "map.h"
#include "prometheus.h"
#include "quota.h"
#include "run.h"
#include "show.h"
#include "sort.h"
#include "top_frame.h"
#include "watch.h"

TEST(list)
{
	struct region items[] = { sample_region(1), sample_region(20) };
	struct region_list list = { items, 2, 2 };

	items[1].quota.reserved = 1536 * MIB;
	items[1].quota.counters[0].hard = PRIVHEAP_NO_LIMIT;
	EXPECT_PRINTS(
"ID         PID  USER        COMMAND  RESERVED  COMMITTED  RESIDENT  PEAK  LIMIT  FAULTS  DENIALS\n"
" 1  2147483646  4000000001  -              8M         3M      1.5M    4M     8M      12        2\n"
"20  2147483646  4000000001  -            1.5G         3M      1.5M    4M      -      12        2\n",
		list_table(&list, false, true, 0, out));
	list.count = 1;
	EXPECT_PRINTS("1  2147483646  4000000001  -  8388608  3145728  1572864  4194304  8388608  12  2\n",
		      list_table(&list, true, false, 0, out));
	list.count = 0;
	EXPECT_PRINTS("[]\n", list_json(&list, out));
}

TEST(list_in_json)
{
	struct region region = sample_region(17);
	struct region_list list = { &region, 1, 1 };
	uint64_t map[] = { 4096, 0 };

	region.quota.counters[1].reserve_open = true;
	region.map = map;
	region.cells = 1;
	EXPECT_PRINTS("[{\"region\":17,\"pid\":2147483646,\"uid\":4000000001,"
		      "\"user\":\"4000000001\",\"command\":\"-\","
		      "\"cgroup\":null,\"cgroup_path\":null,"
		      "\"base\":139637976727552,\"exec\":false,\"lazy\":false,"
		      "\"reserved\":8388608,\"faults\":12,\"denials\":2,"
		      "\"commit\":{\"usage\":3145728,\"peak\":4194304,"
		      "\"soft\":null,\"hard\":8388608,\"reserve\":0,"
		      "\"reserve_open\":false,\"fail_nth\":0,\"denials\":0},"
		      "\"resident\":{\"usage\":1572864,\"peak\":2097152,"
		      "\"soft\":null,\"hard\":null,\"reserve\":0,"
		      "\"reserve_open\":true,\"fail_nth\":0,\"denials\":0},"
		      "\"cell\":8388608,\"map\":[[4096,0]]}]\n",
		      list_json(&list, out));
}

TEST(sorted)
{
	struct region items[] = {
		sample_region(3), sample_region(1), sample_region(2),
	};
	unsigned int key;

	items[0].quota.counters[0].usage = 5;
	items[2].quota.counters[0].usage = 5;
	ASSERT_TRUE(sort_find("committed", &key));
	sort_regions(items, 3, key, false);
	EXPECT_EQ(1, items[0].quota.subject.id);
	EXPECT_EQ(2, items[1].quota.subject.id);
	EXPECT_EQ(3, items[2].quota.subject.id);
	sort_regions(items, 3, key, true);
	EXPECT_EQ(3, items[0].quota.subject.id);
	EXPECT_EQ(1, items[2].quota.subject.id);
	items[0].pid = 7;
	ASSERT_TRUE(sort_find("pid", &key));
	sort_regions(items, 3, key, false);
	EXPECT_EQ(7, items[0].pid);
	ASSERT_TRUE(sort_find("id", &key));
	sort_regions(items, 3, key, false);
	EXPECT_EQ(1, items[0].quota.subject.id);
	/* All that help names are keys, and the other way round. */
	for (key = 0; key < SORT_COUNT; key++)
		EXPECT_HAS(SORT_KEYS, sort_name(key));
	EXPECT_FALSE(sort_find("size", &key));
	sort_regions(items, 0, 0, false);
}

/* --------------------------------------------------------------- maps */

/* 20 pages in 10 cells of two: one of each kind, and a last one cut short. */
static struct region mapped_region(void)
{
	static uint64_t map[] = {
		8192, 8192, 8192, 4096, 8192, 0, 4096, 0, 0, 0,
		4096, 4096, 0, 0, 0, 0, 0, 0, 4096, 4096,
	};
	struct region region = sample_region(17);

	region.quota.reserved = 19 * 4096;
	region.map = map;
	region.cells = 10;
	return region;
}

TEST(maps)
{
	struct region region = mapped_region();
	struct map_style style = { .width = 25 };

	EXPECT_EQ(8192, map_cell_bytes(&region));
	EXPECT_PRINTS("        0 #+=-.+..\n"
		      "      64K .#\n"
		      "\n"
		      "Each cell is 8K. The map begins at the region's address; lines tell the offset.\n"
		      "# resident\n"
		      "+ partly resident\n"
		      "= committed\n"
		      "- partly committed\n"
		      ". reserved\n",
		      map_draw(&region, &style, out));
	style.utf8 = true;
	style.width = 80;
	EXPECT_PRINTS("        0 █▓▒░·▓···█\n"
		      "\n"
		      "Each cell is 8K. The map begins at the region's address; lines tell the offset.\n"
		      "█ resident  ▓ partly resident  ▒ committed  ░ partly committed  · reserved\n",
		      map_draw(&region, &style, out));
	style.colour = true;
	style.utf8 = false;
	region.cells = 3;
	region.quota.reserved = 3 * 8192;
	EXPECT_PRINTS("        0 \033[32m#+\033[0m\033[33m=\033[0m\n"
		      "\n"
		      "Each cell is 8K. The map begins at the region's address; lines tell the offset.\n"
		      "\033[32m#\033[0m resident  \033[32m+\033[0m partly resident  "
		      "\033[33m=\033[0m committed  \033[33m-\033[0m partly committed  "
		      "\033[2m.\033[0m reserved\n",
		      map_draw(&region, &style, out));
}

/* Cells that are asked for: they fit, and begin at round offsets. */
TEST(cells_of_maps)
{
	EXPECT_EQ(1, map_cells(4096, 80));
	EXPECT_EQ(19, map_cells(19 * 4096, 80));
	EXPECT_EQ(512, map_cells(4 * MIB, 80));
	EXPECT_EQ(257, map_cells(2 * MIB + 4096, 80));
	EXPECT_EQ(512, map_cells(16 * GIB, 80));
	EXPECT_EQ(1024, map_cells(16 * GIB, 200));
	EXPECT_EQ(64, map_cells(16 * GIB, 18));
	for (size_t width = 1; width < 400; width++) {
		for (uint64_t pages = 1; pages < 10000000; pages = pages * 3 + 1) {
			uint32_t cells = map_cells(pages * 4096, width);

			EXPECT_LE(1, cells);
			EXPECT_GE(PRIVHEAP_CELLS_MAX, cells);
			EXPECT_GE(pages, cells);
		}
	}
}

TEST(show)
{
	struct region region = mapped_region();
	const struct map_style style = { .width = 80 };
	char *is;

	region.flags = PRIVHEAP_CREATE_EXEC | PRIVHEAP_CREATE_LAZY;
	region.quota.counters[0].reserve = MIB;
	region.quota.counters[0].reserve_open = true;
	region.quota.counters[0].fail_nth = 3;
	is = PRINTED(show_region(&region, &style, false, out));
	EXPECT_HAS(is,
		   "region 17\n"
		   "  process   2147483646 (-)\n"
		   "  user      4000000001\n"
		   "  cgroup    / (the root)\n"
		   "  address   0x7f0000000000 to 0x7f0000013000\n"
		   "  flags     exec lazy\n"
		   "  reserved  76K\n"
		   "  faults    12\n"
		   "  denials   2, here or further out\n"
		   "\n"
		   "          USAGE  PEAK  SOFT  HARD    RESERVE  FAIL-NTH  DENIALS\n"
		   "commit       3M    4M     -    8M  1M (open)         3        0\n"
		   "resident   1.5M    2M     -     -          -         -        0\n"
		   "\n"
		   "        0 #+=-.+...#\n");
	EXPECT_EQ(0, strncmp(is, "region 17\n", 10));
	free(is);
}

TEST(bars)
{
	char bar[BAR_BYTES(10)];

	bar_draw(bar, 10, 20, 50, 100, false);
	EXPECT_STREQ("[##===.....]  50%", bar);
	bar_draw(bar, 10, 1, 1, 1000000, false);
	EXPECT_STREQ("[#.........]   0%", bar);
	bar_draw(bar, 10, 0, 99, 100, true);
	EXPECT_STREQ("[▒▒▒▒▒▒▒▒▒·]  99%", bar);
	bar_draw(bar, 10, 100, 100, 100, true);
	EXPECT_STREQ("[██████████] 100%", bar);
	/* limits that were lowered */
	bar_draw(bar, 10, 150, 250, 100, false);
	EXPECT_STREQ("[##########] 250%", bar);
	bar_draw(bar, 10, 1, 1, 0, false);
	EXPECT_STREQ("[##########] 999%", bar);
	bar_draw(bar, 10, 0, 0, 0, false);
	EXPECT_STREQ("[..........]   0%", bar);
	bar_draw(bar, 10, UINT64_MAX / 2, UINT64_MAX / 2, UINT64_MAX - 1, false);
	EXPECT_STREQ("[#####.....]  50%", bar);
	bar_draw(bar, 10, 1, 1, PRIVHEAP_NO_LIMIT, false);
	EXPECT_STREQ("", bar);
}

TEST(quotas)
{
	struct quota items[] = {
		sample_quota(PRIVHEAP_LEVEL_PROCESS, 2147483646),
		sample_quota(PRIVHEAP_LEVEL_SYSTEM, 0),
	};
	struct quota_list list = { items, 2, 2 };

	EXPECT_PRINTS(
"SUBJECT         REGIONS  RESERVED  COMMIT  PEAK  SOFT  HARD  RESIDENT  PEAK  SOFT  HARD  DENIALS\n"
"pid:2147483646        3      1.5G     60M   64M   48M   64M       10M   12M     -     -        7\n"
"system                3      1.5G     60M   64M   48M   64M       10M   12M     -     -        7\n",
		quota_table(&list, false, true, 0, out));
	EXPECT_PRINTS(
"system\n"
"  regions   3\n"
"  reserved  1.5G\n"
"  faults    100\n"
"  denials   7, here or further out\n"
"\n"
"          USAGE  PEAK  SOFT  HARD  RESERVE  FAIL-NTH  DENIALS\n"
"commit      60M   64M   48M   64M        -         -        5\n"
"resident    10M   12M     -     -        -         -        0\n",
		quota_print(&items[1], false, out));
}

TEST(prometheus)
{
	struct region region = sample_region(17);
	struct quota quota = sample_quota(PRIVHEAP_LEVEL_SYSTEM, 0);
	struct region_list regions = { &region, 1, 1 };
	struct quota_list quotas = { &quota, 1, 1 };
	char *is = PRINTED(prometheus_write(&regions, &quotas, out));

	EXPECT_HAS(is, "# HELP privheap_region_usage_bytes Charged now.\n"
		   "# TYPE privheap_region_usage_bytes gauge\n"
		   "privheap_region_usage_bytes{region=\"17\",pid=\"2147483646\",user=\"4000000001\",command=\"-\",cgroup=\"\",resource=\"commit\"} 3145728\n"
		   "privheap_region_usage_bytes{region=\"17\",pid=\"2147483646\",user=\"4000000001\",command=\"-\",cgroup=\"\",resource=\"resident\"} 1572864\n"
		   "# HELP");
	EXPECT_HAS(is, "# TYPE privheap_quota_limit_denials_total counter\n"
		   "privheap_quota_limit_denials_total{level=\"system\",subject=\"system\",resource=\"commit\"} 5\n");
	EXPECT_HAS(is, "privheap_quota_hard_limit_bytes{level=\"system\",subject=\"system\",resource=\"resident\"} +Inf\n");
	EXPECT_HAS(is, "privheap_quota_regions{level=\"system\",subject=\"system\"} 3\n");
	free(is);
	regions.count = 0;
	quotas.count = 0;
	EXPECT_PRINTS("", prometheus_write(&regions, &quotas, out));
}

TEST(top)
{
	struct region items[] = { sample_region(1), sample_region(2) };
	struct region_list regions = { items, 2, 2 };
	struct quota quota = sample_quota(PRIVHEAP_LEVEL_SYSTEM, 0);
	struct quota_list quotas = { &quota, 1, 1 };
	struct top_look look = { .interval = 1500, .with_system = true };
	char *is = PRINTED(top_frame(&look, &quota, &regions, &quotas, out));

	EXPECT_HAS(is, "  2 regions, every 1.5 s, by id\n"
		   "committed 60M of 64M (peak 64M), resident 10M (peak 12M), denials 7\n"
		   "[####========================..]  93%\n"
		   "\n"
		   "ID         PID  USER        COMMAND  RESERVED  COMMIT  RESIDENT  LIMIT  DENIALS  COMMIT/LIMIT\n"
		   " 1  2147483646  4000000001  -              8M      3M      1.5M     8M        2  [###====.............]  37%\n");
	free(is);
	look.width = 80;
	is = PRINTED(top_frame(&look, &quota, &regions, &quotas, out));
	EXPECT_HAS(is, " 1  2147483646  4000000001  -            3M      1.5M     8M        2  [#==.....\n");
	free(is);
	look.screen = true;
	look.quotas = true;
	look.paused = true;
	look.help = true;
	look.with_system = false;
	look.width = 40;
	is = PRINTED(top_frame(&look, &quota, &regions, &quotas, out));
	EXPECT_HAS(is, "\nq quit  s/S sort  r reverse  v regions/q\n"
		   "\033[7mSUBJECT  REGIONS  COMMIT  HARD  RESIDENT\033[0m\n"
		   "system         3     60M   64M       10M\n");
	free(is);
}

TEST(reports_of_run)
{
	struct quota quota = sample_quota(PRIVHEAP_LEVEL_CGROUP, 99);

	quota.counters[0].usage = 0;
	EXPECT_PRINTS("privheapctl: sh?: exit status 3\n"
		      "  commit    peak 64M, limit 64M, 5 denials\n"
		      "  resident  peak 12M, no limit, 0 denials, 10M still in use\n"
		      "  7 charges were refused, by this quota or one further out\n",
		      run_report("sh\033", 3 << 8, &quota, out));
	quota.denials = 1;
	quota.counters[1].usage = 0;
	quota.counters[0].denials = 0;
	EXPECT_PRINTS("privheapctl: sh: exit status 0\n"
		      "  commit    peak 64M, limit 64M, 0 denials\n"
		      "  resident  peak 12M, no limit, 0 denials\n"
		      "  1 charge was refused, by this quota or one further out\n",
		      run_report("sh", 0, &quota, out));
	EXPECT_PRINTS("privheapctl: x: killed by signal 9 (Killed)\n",
		      run_report("x", 9, NULL, out));
	EXPECT_EQ(3, run_exit_code(3 << 8));
	EXPECT_EQ(137, run_exit_code(9));
	EXPECT_EQ(139, run_exit_code(11 | 0x80));
}

/* ------------------------------------------------------------- events */

/* What was told, without the times. */
static char told[4096];

static void tell(const struct notice *notice, void *data)
{
	char *line = PRINTED(event_print(notice, out));

	strncat(told, line + strlen("00:00:00.000000 "),
		sizeof(told) - strlen(told) - 1);
	free(line);
}

#define EXPECT_TOLD(text) do {	\
	EXPECT_STREQ(text, told); \
	told[0] = '\0';		\
} while (0)

static int region_event(struct watch *watch, uint8_t command, uint64_t id)
{
	struct region region = sample_region(id);
	const struct event event = { .seq = id };
	struct nlmsghdr *message = region_message(command, &region);

	put_event(message, &event);
	return watch_event(watch, message);
}

static int quota_event(struct watch *watch, uint8_t command, struct quota *quota,
		       uint64_t lost)
{
	const struct event event = {
		.seq = 1, .lost = lost, .request = 64 * KIB, .region = 17,
	};
	struct nlmsghdr *message = quota_message(command, quota);

	put_event(message, &event);
	return watch_event(watch, message);
}

#define REGION_LINE(kind, id) \
	kind " region " id " of pid 2147483646 (-), user 4000000001: 8M reserved, "
#define CREATED(id)	REGION_LINE("created  ", id) "3M committed, limit 8M"
#define DESTROYED(id)	REGION_LINE("destroyed", id) "peak 4M, 2 denied"

TEST(events)
{
	struct watch watch = { .tell = tell };
	struct quota quota = sample_quota(PRIVHEAP_LEVEL_USER, NO_NAME_UID);

	EXPECT_EQ(0, region_event(&watch, PRIVHEAP_CMD_REGION_CREATE_NTF, 17));
	EXPECT_TOLD(CREATED("17") "\n");
	EXPECT_EQ(0, quota_event(&watch, PRIVHEAP_CMD_QUOTA_SOFT_NTF, &quota, 0));
	EXPECT_TOLD("soft      user:4000000001 commit 60M, above its soft limit of 48M\n");
	EXPECT_EQ(0, quota_event(&watch, PRIVHEAP_CMD_QUOTA_BELOW_NTF, &quota, 0));
	EXPECT_TOLD("below     user:4000000001 commit 60M, back at its soft limit of 48M or below\n");
	EXPECT_EQ(-ENOBUFS, quota_event(&watch, PRIVHEAP_CMD_QUOTA_DENIED_NTF,
					&quota, 12));
	EXPECT_TOLD("lost      12 events before this one, for want of memory or time; reading all again\n"
		    "denied    user:4000000001 commit 64K to region 17; 60M in use of 64M\n");
	EXPECT_EQ(0, region_event(&watch, PRIVHEAP_CMD_REGION_DESTROY_NTF, 17));
	EXPECT_TOLD(DESTROYED("17") "\n");
	EXPECT_EQ(-EBADMSG, region_event(&watch, PRIVHEAP_CMD_REGION_GET, 17));
	watch_release(&watch);
}

/* Known at first: 1, 2. Then 3 comes, 1 goes, and both events are lost. */
TEST(events_that_were_lost)
{
	struct watch watch = { .tell = tell };
	struct region before[] = { sample_region(1), sample_region(2) };
	struct region after[] = { sample_region(2), sample_region(3) };
	struct quota quota = sample_quota(PRIVHEAP_LEVEL_SYSTEM, 0);
	struct region_list regions = { before, 2, 2 };
	struct quota_list quotas = { &quota, 1, 1 };

	watch_begin(&watch, &regions, &quotas);
	watch_compare(&watch, &regions, &quotas);
	EXPECT_TOLD("");
	regions.items = after;
	quota.counters[0].usage = 40 * MIB;
	quota.counters[0].denials += 3;
	watch_compare(&watch, &regions, &quotas);
	EXPECT_TOLD(CREATED("3") " (the event was lost)\n"
		    "denied    system commit 3 times; 40M in use of 64M (the event was lost)\n"
		    "below     system commit 40M, back at its soft limit of 48M or below (the event was lost)\n"
		    DESTROYED("1") " (the event was lost)\n");
	watch_compare(&watch, &regions, &quotas);
	EXPECT_TOLD("");
	/* They come after all: nothing is told twice. */
	EXPECT_EQ(0, region_event(&watch, PRIVHEAP_CMD_REGION_CREATE_NTF, 3));
	EXPECT_EQ(0, region_event(&watch, PRIVHEAP_CMD_REGION_DESTROY_NTF, 1));
	EXPECT_EQ(0, quota_event(&watch, PRIVHEAP_CMD_QUOTA_BELOW_NTF, &quota, 0));
	EXPECT_EQ(0, quota_event(&watch, PRIVHEAP_CMD_QUOTA_DENIED_NTF, &quota, 0));
	EXPECT_TOLD("");
	/* But what is new is. */
	quota.counters[0].denials++;
	EXPECT_EQ(0, quota_event(&watch, PRIVHEAP_CMD_QUOTA_DENIED_NTF, &quota, 0));
	EXPECT_EQ(0, region_event(&watch, PRIVHEAP_CMD_REGION_CREATE_NTF, 4));
	EXPECT_EQ(0, region_event(&watch, PRIVHEAP_CMD_REGION_DESTROY_NTF, 3));
	EXPECT_TOLD("denied    system commit 64K to region 17; 40M in use of 64M\n"
		    CREATED("4") "\n" DESTROYED("3") "\n");
	watch_release(&watch);
}

TEST_HARNESS_MAIN

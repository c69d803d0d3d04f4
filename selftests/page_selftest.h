/* SPDX-License-Identifier: GPL-2.0-only */
/* Page frames: which one is behind an address, and what the kernel says of it. */
#ifndef PAGE_SELFTEST_H
#define PAGE_SELFTEST_H

#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PAGE_FLAG_LRU		5
#define PAGE_FLAG_BUDDY		10
#define PAGE_FLAG_COMPOUND_HEAD	15
#define PAGE_FLAG_COMPOUND_TAIL	16
#define PAGE_FLAG_UNEVICTABLE	18
#define PAGE_FLAG_HWPOISON	19
#define PAGE_FLAG_THP		22

/* Entry @index of a file of 64-bit entries; 0 when there is none. */
static inline uint64_t page_entry(const char *path, uint64_t index)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	uint64_t entry = 0;

	if (fd < 0)
		return 0;
	if (pread(fd, &entry, sizeof(entry), index * sizeof(entry)) != sizeof(entry))
		entry = 0;
	close(fd);
	return entry;
}

/* The frame that is mapped at an address; 0 for none, or without privilege. */
static inline uint64_t page_frame(const void *address)
{
	uint64_t entry = page_entry("/proc/self/pagemap", (uintptr_t)address >> 12);

	return entry >> 63 ? entry & ((1ULL << 55) - 1) : 0;
}

static inline bool page_flag(uint64_t frame, unsigned int flag)
{
	return page_entry("/proc/kpageflags", frame) >> flag & 1;
}

/* Tell the kernel that a frame is broken: "hard", at once; "soft", soon. */
static inline int page_offline(const char *how, uint64_t frame)
{
	char path[80], text[32];

	snprintf(path, sizeof(path), "/sys/devices/system/memory/%s_offline_page", how);
	snprintf(text, sizeof(text), "%#llx", (unsigned long long)frame << 12);
	return ph_write_file(path, text);
}

#endif /* PAGE_SELFTEST_H */

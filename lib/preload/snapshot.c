// SPDX-License-Identifier: MIT
/*
 * A copy of a heap's memory for a child: see snapshot.h.
 *
 * One anonymous mapping has a list of what is copied, and behind it a place for
 * each region's bytes up to the end of what is committed. Only pages that there
 * are get copied: the others are zero in the child, as they would be here.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "snapshot.h"

/* Pages that are looked at in one call. */
#define WINDOW	1024

/**
 * struct piece - one region's part
 * @start: of the region
 * @length: bytes that are copied, from there on
 */
struct piece {
	char *start;
	size_t length;
};

/**
 * struct snapshot - the beginning of the mapping
 * @length: bytes of all of it
 * @head: bytes before the first copy
 * @count: members of @pieces
 * @pieces: in the order of the copies
 */
struct snapshot {
	size_t length;
	size_t head;
	size_t count;
	struct piece pieces[];
};

static struct snapshot *snapshot_make(const struct heap *heap)
{
	const struct heap_region *region;
	const struct large_block *large;
	struct snapshot *snapshot;
	size_t count = 0, bytes = 0, head;

	for (region = heap->regions; region; region = region->next, count++)
		bytes += heap_region_end(region);
	for (large = heap->large; large; large = large->next, count++)
		bytes += large->committed;
	if (!page_round_up(sizeof(*snapshot) + count * sizeof(struct piece),
			   &head))
		return NULL;
	snapshot = mmap(NULL, head + bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE |
			MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (snapshot == MAP_FAILED)
		return NULL;
	snapshot->length = head + bytes;
	snapshot->head = head;
	return snapshot;
}

/*
 * The kernel copies: to read a page that is not there would take one, or be a
 * signal, should the list of pages not be right. Where it may not (seccomp) the
 * list must do.
 */
static void copy_run(char *to, char *from, size_t length)
{
	struct iovec local, remote;
	ssize_t done;

	while (length) {
		local = (struct iovec){ to, length };
		remote = (struct iovec){ from, length };
		done = process_vm_readv(getpid(), &local, 1, &remote, 1, 0);
		if (done < 0 && errno != EFAULT && errno != ENOMEM) {
			memcpy(to, from, length);
			return;
		}
		/* What cannot be read the program did not write. */
		if (done <= 0)
			done = (ssize_t)page_size();
		to += done;
		from += done;
		length -= (size_t)done;
	}
}

static void copy_piece(char *to, char *from, size_t length)
{
	unsigned char there[WINDOW];
	size_t page = page_size(), pages, i, end;

	for (; length; length -= pages * page) {
		pages = length / page < WINDOW ? length / page : WINDOW;
		if (mincore(from, pages * page, there))
			memset(there, 1, sizeof(there));
		for (i = 0; i < pages; i = end) {
			for (end = i; end < pages && there[end] & 1; end++)
				;
			copy_run(to + i * page, from + i * page,
				 (end - i) * page);
			for (; end < pages && !(there[end] & 1); end++)
				;
		}
		to += pages * page;
		from += pages * page;
	}
}

struct snapshot *snapshot_take(const struct heap *heap)
{
	struct snapshot *snapshot = snapshot_make(heap);
	const struct heap_region *region;
	const struct large_block *large;
	struct piece *piece;
	char *to;
	size_t i;

	if (!snapshot)
		return NULL;
	piece = snapshot->pieces;
	for (region = heap->regions; region; region = region->next, piece++)
		*piece = (struct piece){ region->base, heap_region_end(region) };
	for (large = heap->large; large; large = large->next, piece++)
		*piece = (struct piece){ (char *)(uintptr_t)large, large->committed };
	snapshot->count = (size_t)(piece - snapshot->pieces);
	to = (char *)snapshot + snapshot->head;
	for (i = 0; i < snapshot->count; i++) {
		piece = &snapshot->pieces[i];
		copy_piece(to, piece->start, piece->length);
		to += piece->length;
	}
	return snapshot;
}

bool snapshot_use(struct snapshot *snapshot)
{
	char *from = (char *)snapshot + snapshot->head;
	const struct piece *piece;
	size_t i;

	for (i = 0; i < snapshot->count; i++) {
		piece = &snapshot->pieces[i];
		if (mremap(from, piece->length, piece->length, MREMAP_MAYMOVE |
			   MREMAP_FIXED, piece->start) == MAP_FAILED)
			return false;
		from += piece->length;
	}
	munmap(snapshot, snapshot->head);
	return true;
}

void snapshot_drop(struct snapshot *snapshot)
{
	if (snapshot)
		munmap(snapshot, snapshot->length);
}

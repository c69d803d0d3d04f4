// SPDX-License-Identifier: MIT
/* Slabs: see slab.h. */
#include "front.h"
#include "heap.h"

/* Slots of a slab, where a slab of the usual size has fewer than these. */
#define SLAB_SLOTS_MIN	8

struct slab *slab_find(const struct front *front, unsigned long granule)
{
	const struct slab_page *page;
	struct slab *slab;

	if (granule >= front->limit)
		return NULL;
	page = &front->pages[granule / (SLAB_PAGE / GRANULE)];
	slab = &front->slabs[page->begins];
	if (!page->begins || granule < slab->first) {
		if (!page->covers)
			return NULL;
		slab = &front->slabs[page->covers];
	}
	return (granule - slab->first) * GRANULE <
	       slab->slots * class_size(slab->class) ? slab : NULL;
}

static void slab_link(struct front *front, struct slab *slab)
{
	uint32_t *head = &front->partial[slab->class];
	uint32_t number = slab - front->slabs;

	slab->prev = 0;
	slab->next = *head;
	if (slab->next)
		front->slabs[slab->next].prev = number;
	*head = number;
}

static void slab_unlink(struct front *front, struct slab *slab)
{
	if (slab->prev)
		front->slabs[slab->prev].next = slab->next;
	else
		front->partial[slab->class] = slab->next;
	if (slab->next)
		front->slabs[slab->next].prev = slab->prev;
}

unsigned int slab_take(struct front *front, unsigned int class,
		       uint32_t *entries, unsigned int count,
		       unsigned int number)
{
	const uint32_t granules = class_size(class) / GRANULE;
	unsigned int got = 0, i;
	struct slab *slab;

	while (got < count && front->partial[class]) {
		unsigned int before = got;

		slab = &front->slabs[front->partial[class]];
		for (i = 0; i < SLAB_WORDS && got < count; i++) {
			unsigned int word = (i + number) % SLAB_WORDS;
			uint64_t bits = slab->bits[word];
			uint32_t entry = slab->first + word * 64 * granules;

			while (bits && got < count) {
				entries[got++] = entry + __builtin_ctzll(bits) *
						 granules;
				bits &= bits - 1;
			}
			slab->bits[word] = bits;
		}
		slab->free -= got - before;
		front->free_bytes -= (got - before) * class_size(class);
		if (!slab->free)
			slab_unlink(front, slab);
		else if (got == before)
			break;		/* damaged */
	}
	return got;
}

/*
 * How many slots a slab gets, or 0: none for this heap. Where there is a maximum,
 * what one class does not use is what another is refused: a slab then has no more
 * than half of the slots that its class has already.
 */
static size_t slab_slots(const struct front *front, unsigned int class)
{
	size_t slot = class_size(class), slots = front->slab_target / slot;
	size_t least = slot < SLAB_PAGE / 2 ? (SLAB_PAGE + slot - 1) / slot : 2;
	size_t half = front->class_slots[class] / 2;

	if (slots > SLAB_SLOTS)
		slots = SLAB_SLOTS;
	if (slots < SLAB_SLOTS_MIN)
		slots = SLAB_SLOTS_MIN;
	if (front->heap->fixed && slots > half)
		slots = half;
	if (slots < least)
		slots = least;
	return slots * slot > front->slab_most ? 0 : slots;
}

/*
 * In a heap with a maximum the slots that wait for a request of their size take
 * no more than a 16th of it, and when less than a quarter is left nothing is cut into
 * slots any more: the back end wastes less.
 */
static bool slab_affordable(const struct front *front, size_t bytes)
{
	const struct heap_region *first = &front->heap->first;
	size_t room = first->blocks.free +
		      (first->base + first->reserved - first->blocks.top);

	return front->free_bytes + bytes <= first->reserved / 16 &&
	       room >= first->reserved / 4 + bytes;
}

/* Says which pages the slab lies over. */
static void slab_set_pages(struct front *front, const struct slab *slab,
			   uint32_t number)
{
	const size_t per_page = SLAB_PAGE / GRANULE;
	size_t last = slab->first + slab->slots * class_size(slab->class) /
		      GRANULE - 1;
	size_t page = slab->first / per_page;

	front->pages[page].begins = number;
	while (++page <= last / per_page)
		front->pages[page].covers = number;
}

bool slab_create(struct front *front, unsigned int class)
{
	size_t size = class_size(class), slots = slab_slots(front, class), dirty;
	unsigned int word;
	struct slab *slab;
	size_t first, end;
	uint32_t number;
	char *memory;

	if (!slots || (front->heap->fixed && !slab_affordable(front, slots * size)))
		return false;
	if (front->slabs_used == front->slabs_max && !front->slab_unused)
		return false;
	memory = heap_get(front->heap, slots * size, &dirty);
	if (!memory)
		return false;
	first = front_granule(front, memory);
	end = first + slots * size / GRANULE;
	if (first <= CACHE_END || end < first || end > front->limit) {
		heap_put(front->heap, memory);
		return false;
	}

	number = front->slab_unused;
	if (number)
		front->slab_unused = front->slabs[number].next;
	else
		number = ++front->slabs_used;
	slab = &front->slabs[number];
	slab->first = first;
	slab->slots = slots;
	slab->free = slots;
	slab->class = class;
	for (word = 0; word < SLAB_WORDS; word++) {
		size_t left = slots > word * 64 ? slots - word * 64 : 0;

		slab->bits[word] = left >= 64 ? ~(uint64_t)0 :
				   ((uint64_t)1 << left) - 1;
	}
	slab_set_pages(front, slab, number);
	slab_link(front, slab);
	front->class_slots[class] += slots;
	front->slab_bytes += slots * size;
	front->free_bytes += slots * size;
	return true;
}

/* Counts @count slots that were set free in the slab. */
static void slab_count_free(struct front *front, struct slab *slab,
			    unsigned int count)
{
	if (!count)
		return;
	if (!slab->free)
		slab_link(front, slab);
	slab->free += count;
	front->free_bytes += count * class_size(slab->class);
}

void slab_put(struct front *front, const uint32_t *entries, unsigned int count)
{
	uint32_t distance, granules = 0, span = 0, reciprocal = 0;
	unsigned int i, slot, put = 0;
	struct slab *slab = NULL;

	for (i = 0; i < count; i++) {
		/* The next one is often in the same slab. */
		if (!slab || entries[i] - slab->first >= span) {
			if (slab)
				slab_count_free(front, slab, put);
			put = 0;
			slab = slab_find(front, entries[i]);
			if (unlikely(!slab))
				continue;	/* damaged: better lose it */
			granules = class_size(slab->class) / GRANULE;
			span = slab->slots * granules;
			reciprocal = class_reciprocal[slab->class];
		}
		distance = entries[i] - slab->first;
		slot = (uint64_t)distance * reciprocal >> 32;
		if (unlikely(slot * granules != distance))
			continue;
		slab->bits[slot / 64] |= (uint64_t)1 << (slot % 64);
		put++;
	}
	if (slab)
		slab_count_free(front, slab, put);
}

static void slab_destroy(struct front *front, struct slab *slab)
{
	size_t bytes = slab->slots * class_size(slab->class);
	uint32_t number = slab - front->slabs;

	slab_unlink(front, slab);
	slab_set_pages(front, slab, 0);
	front->class_slots[slab->class] -= slab->slots;
	front->slab_bytes -= bytes;
	front->free_bytes -= bytes;
	slab->class = 0;
	slab->next = front->slab_unused;
	front->slab_unused = number;
	heap_put(front->heap, front->base + slab->first * GRANULE);
}

void slab_release_empty(struct front *front)
{
	unsigned int class;
	struct slab *slab;
	uint32_t number;

	for (class = 1; class < CLASS_COUNT; class++) {
		number = front->partial[class];
		while (number) {
			slab = &front->slabs[number];
			number = slab->next;
			if (slab->free == slab->slots)
				slab_destroy(front, slab);
		}
	}
}

static unsigned int slab_free_bits(const struct slab *slab)
{
	unsigned int bits = 0, word;

	for (word = 0; word < SLAB_WORDS; word++)
		bits += __builtin_popcountll(slab->bits[word]);
	return bits;
}

void slab_repair(struct front *front)
{
	struct slab *slab;
	uint32_t number;

	memset(front->partial, 0, sizeof(front->partial));
	memset(front->class_slots, 0, sizeof(front->class_slots));
	front->slab_bytes = 0;
	front->free_bytes = 0;
	front->slab_unused = 0;
	for (number = 1; number <= front->slabs_used; number++) {
		slab = &front->slabs[number];
		if (!slab->class) {
			slab->next = front->slab_unused;
			front->slab_unused = number;
			continue;
		}
		slab->free = slab_free_bits(slab);
		if (slab->free)
			slab_link(front, slab);
		front->class_slots[slab->class] += slab->slots;
		front->slab_bytes += slab->slots * class_size(slab->class);
		front->free_bytes += slab->free * class_size(slab->class);
	}
}

bool slab_check(const struct front *front)
{
	size_t slab_bytes = 0, free_bytes = 0;
	const struct slab *slab;
	uint32_t number;

	for (number = 1; number <= front->slabs_used; number++) {
		slab = &front->slabs[number];
		if (!slab->class)
			continue;
		if (slab->class >= CLASS_COUNT || slab->slots > SLAB_SLOTS ||
		    slab_find(front, slab->first) != slab ||
		    slab_free_bits(slab) != slab->free ||
		    slab->free > slab->slots)
			return false;
		slab_bytes += slab->slots * class_size(slab->class);
		free_bytes += slab->free * class_size(slab->class);
	}
	return slab_bytes == front->slab_bytes &&
	       free_bytes == front->free_bytes;
}

// SPDX-License-Identifier: MIT
/* Thread slots and their caches: see cache.h. */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cache.h"
#include "front.h"
#include "process.h"

#ifdef CACHE_RSEQ
#include <sys/rseq.h>
#endif

/* Caches that a slot gets memory for at once. */
#define CACHE_CHUNK	16

/**
 * struct cache_slot - what the threads that use it, one at a time, have
 * @owner: a robust lock that the thread takes, and never drops: so the kernel
 *	says when it has ended, and nothing has to be called then
 * @number: index into struct front's caches
 * @unused: caches that are no front's
 */
struct cache_slot {
	pthread_mutex_t owner;
	unsigned int number;
	struct cache *unused;
};

/*
 * For the slots and their lists of unused caches. Taken with a heap's lock
 * held; nothing is taken under it.
 */
static pthread_mutex_t cache_lock = PTHREAD_MUTEX_INITIALIZER;
static struct cache_slot cache_slots[FRONT_SLOTS];
static unsigned int cache_slots_used;

static struct cache cache_none;

__thread struct cache *cache_current
	__attribute__((tls_model("initial-exec"), visibility("hidden"))) =
	&cache_none;

/* Takes the key away. */
static void cache_lock_out(struct cache *cache)
{
	*(struct heap *volatile *)&cache->heap = (struct heap *)cache;
}

#ifdef CACHE_RSEQ

static __thread struct cache_slot *cache_my_slot;
/* How often the thread has come for one in vain. */
static __thread unsigned int cache_slot_tries;

long cache_rseq_offset;

static bool cache_possible;

/* membarrier(2), not in every header */
#define BARRIER_RSEQ		(1 << 7)
#define BARRIER_REGISTER_RSEQ	(1 << 8)

static struct rseq *cache_rseq_area(void)
{
	return (struct rseq *)((char *)__builtin_thread_pointer() +
			       __rseq_offset);
}

static void cache_init(void)
{
	class_init();
	/* In the first process and in each child: it may not be inherited. */
	cache_possible = !syscall(SYS_membarrier, BARRIER_REGISTER_RSEQ, 0, 0);
	if (cache_possible)
		cache_rseq_offset = __rseq_offset;
}

/* Whether nobody has the slot, or nobody any more; it is the caller's then. */
static bool cache_slot_try(struct cache_slot *slot)
{
	int err = pthread_mutex_trylock(&slot->owner);

	if (err == EOWNERDEAD)
		pthread_mutex_consistent(&slot->owner);
	return !err || err == EOWNERDEAD;
}

/* A slot that was never used, or NULL; cache_lock is held. */
static struct cache_slot *cache_slot_make(void)
{
	struct cache_slot *slot;
	pthread_mutexattr_t attr;

	if (cache_slots_used == FRONT_SLOTS)
		return NULL;
	slot = &cache_slots[cache_slots_used];
	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_init(&slot->owner, &attr);
	pthread_mutexattr_destroy(&attr);
	slot->number = cache_slots_used;
	if (!cache_slot_try(slot))
		return NULL;
	cache_slots_used++;
	return slot;
}

static struct cache_slot *cache_slot_get(void)
{
	struct cache_slot *slot = cache_my_slot;
	unsigned int i;

	if (likely(slot))
		return slot;
	/* Threads are registered one by one, and that can fail for any. */
	if (!cache_possible || (int)cache_rseq_area()->cpu_id < 0)
		return NULL;
	/* Where there are more threads than slots, not each time. */
	if (cache_slot_tries++ % 256)
		return NULL;

	pthread_mutex_lock(&cache_lock);
	for (i = 0; i < cache_slots_used && !slot; i++)
		if (cache_slot_try(&cache_slots[i]))
			slot = &cache_slots[i];
	if (!slot)
		slot = cache_slot_make();
	pthread_mutex_unlock(&cache_lock);
	cache_my_slot = slot;
	return slot;
}

/* Gets memory for more caches; cache_lock is held. */
static void cache_slot_fill(struct cache_slot *slot)
{
	size_t size, i;
	char *memory;

	page_round_up(CACHE_CHUNK * CACHE_SIZE, &size);
	memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE |
		      MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (memory == MAP_FAILED)
		return;
	/* A child that saw the keys would work on heaps that it has not. */
	if (madvise(memory, size, MADV_WIPEONFORK)) {
		munmap(memory, size);
		return;
	}
	for (i = 0; i < CACHE_CHUNK; i++) {
		struct cache *cache = (struct cache *)(memory + i * CACHE_SIZE);

		cache->slot = slot;
		cache->next = slot->unused;
		slot->unused = cache;
	}
}

static struct cache *cache_new(struct cache_slot *slot)
{
	struct cache *cache;

	pthread_mutex_lock(&cache_lock);
	if (!slot->unused)
		cache_slot_fill(slot);
	cache = slot->unused;
	if (cache)
		slot->unused = cache->next;
	pthread_mutex_unlock(&cache_lock);
	return cache;
}

struct cache *cache_get(struct front *front)
{
	struct cache_slot *slot = cache_slot_get();
	struct cache *cache;

	if (!slot)
		return NULL;
	cache = front->caches[slot->number];
	if (cache)
		return cache;
	cache = cache_new(slot);
	if (!cache)
		return NULL;
	cache_attach(cache, front);
	front->caches[slot->number] = cache;
	return cache;
}

struct cache *cache_peek(const struct front *front)
{
	return cache_my_slot ? front->caches[cache_my_slot->number] : NULL;
}

void cache_enable(struct cache *cache, struct heap *heap)
{
	cache->heap = heap;
	cache_current = cache;
}

/*
 * What was aborted before it counted may have made the top entry of a line look
 * like a live block.
 */
static void cache_settle(struct cache *cache)
{
	unsigned int class;

	for (class = 1; class < CLASS_COUNT; class++)
		if (cache_count(cache, class))
			cache->map[*cache_entries(cache, class)] = 0;
}

void cache_revoke(struct front *front)
{
	struct cache *cache, *own = cache_peek(front);
	bool foreign = false;
	int saved = errno;

	for (cache = front->cache_list; cache; cache = cache->next) {
		if (cache->heap == front->heap && cache != own)
			foreign = true;
		cache_lock_out(cache);
	}
	if (!foreign)
		return;
	/* Cannot fail once it was registered. */
	syscall(SYS_membarrier, BARRIER_RSEQ, 0, 0);
	errno = saved;
	for (cache = front->cache_list; cache; cache = cache->next)
		cache_settle(cache);
}

void cache_forget(void)
{
	/* The memory of the parent's caches stays, wiped and without use. */
	pthread_mutex_init(&cache_lock, NULL);
	memset(cache_slots, 0, sizeof(cache_slots));
	cache_slots_used = 0;
	cache_current = &cache_none;
	cache_my_slot = NULL;
	cache_init();
}

#else /* no rseq */

struct cache *cache_get(struct front *front)
{
	(void)front;
	return NULL;
}

struct cache *cache_peek(const struct front *front)
{
	(void)front;
	return NULL;
}

void cache_enable(struct cache *cache, struct heap *heap)
{
	(void)cache;
	(void)heap;
}

void cache_revoke(struct front *front)
{
	(void)front;
}

void cache_forget(void)
{
	class_init();
	pthread_mutex_init(&cache_lock, NULL);
	(void)cache_slots;
	(void)cache_slots_used;
}

#endif /* CACHE_RSEQ */

void cache_attach(struct cache *cache, struct front *front)
{
	unsigned int class;

	cache->empty = CACHE_END;
	cache->base = front->base;
	cache->second = front->base + GRANULE;
	cache->map = front->map;
	cache->limit = front->limit;
	cache->small = SMALL_MAX + 1;
	cache->medium = SLOT_MAX + 1;
	cache->front = front;
	for (class = 1; class < CLASS_COUNT; class++)
		cache_set_cap(cache, class, 0);
	cache->next = front->cache_list;
	front->cache_list = cache;
}

void cache_detach(struct front *front)
{
	struct cache **link = &front->cache_list, *cache;

	pthread_mutex_lock(&cache_lock);
	while ((cache = *link)) {
		if (!cache->slot) {
			link = &cache->next;
			continue;
		}
		*link = cache->next;
		front->caches[cache->slot->number] = NULL;
		/* Its owner may try it yet, with what are no blocks any more. */
		cache_lock_out(cache);
		cache->limit = 0;
		cache->front = NULL;
		cache->next = cache->slot->unused;
		cache->slot->unused = cache;
	}
	pthread_mutex_unlock(&cache_lock);
}

static uint32_t cache_line(unsigned int class)
{
	return CACHE_HEAD + ((class - 1) << CACHE_LINE_SHIFT);
}

static uint32_t cache_line_end(const struct cache *cache, unsigned int class)
{
	return cache_line(class) + cache->caps[class] * sizeof(uint32_t);
}

unsigned int cache_number(const struct cache *cache)
{
	return cache->slot ? cache->slot->number : 0;
}

unsigned int cache_count(const struct cache *cache, unsigned int class)
{
	if (!cache->caps[class])
		return 0;
	return (cache_line_end(cache, class) -
		cache->tops[CLASS_LIVE | class]) / sizeof(uint32_t);
}

uint32_t *cache_entries(struct cache *cache, unsigned int class)
{
	return (uint32_t *)((char *)cache + cache->tops[CLASS_LIVE | class]);
}

void cache_set_cap(struct cache *cache, unsigned int class, unsigned int cap)
{
	cache->caps[class] = cap;
	if (!cap) {
		/* Both full and empty, and without a page until it is used. */
		cache->tops[CLASS_LIVE | class] = 0;
		return;
	}
	cache->tops[CLASS_LIVE | class] = cache_line_end(cache, class);
	*cache_entries(cache, class) = CACHE_END;
}

void cache_fill(struct cache *cache, unsigned int class,
		const uint32_t *entries, unsigned int count)
{
	memcpy(cache_entries(cache, class) - count, entries,
	       count * sizeof(*entries));
	/* A thread that ends in between has put nothing there. */
	atomic_signal_fence(memory_order_seq_cst);
	cache->tops[CLASS_LIVE | class] -= count * sizeof(uint32_t);
}

unsigned int cache_drain(struct cache *cache, unsigned int class,
			 uint32_t *entries, unsigned int count)
{
	unsigned int have = cache_count(cache, class);
	uint32_t *top = cache_entries(cache, class);

	if (count > have)
		count = have;
	if (!count)
		return 0;
	memcpy(entries, top + have - count, count * sizeof(*entries));
	memmove(top + count, top, (have - count) * sizeof(*entries));
	cache->tops[CLASS_LIVE | class] += count * sizeof(uint32_t);
	return count;
}

void cache_drain_newest(struct cache *cache, unsigned int class,
			uint32_t *entry)
{
	*entry = *cache_entries(cache, class);
	cache->tops[CLASS_LIVE | class] += sizeof(uint32_t);
}

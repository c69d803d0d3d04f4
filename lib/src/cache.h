/* SPDX-License-Identifier: MIT */
/*
 * Caches: free slots that one thread has at hand of one heap, so that most
 * calls take no lock and write to nothing that others use.
 *
 * A cache is a set of lines, one for each size class: a stack of entries, which
 * are the numbers of the granules (from the front's base) where the slots
 * begin. Only the thread that owns a cache works on it, except that whoever
 * holds the heap's lock may revoke it: clear its key, and then have the kernel
 * abort every thread that is in the middle of a fast path (membarrier(2) over
 * restartable sequences, rseq(2)). So a fast path is a restartable sequence
 * that looks at the key first and ends with the one store that counts; it
 * takes no lock prefix and no fence. The owner gets the key back, under the
 * heap's lock, when it next takes the slow path.
 *
 * Caches belong to a thread slot and not to a thread: when a thread exits, the
 * next one that starts takes over its slot with all caches as they are. Until
 * then they can be revoked and emptied as all others.
 *
 * Where there is no rseq (other processors than x86-64, an old kernel or C
 * library, valgrind) no thread has caches. A front then has one that all threads
 * share, under the heap's lock. So it is with sanitizers that look at each access
 * to memory, for they do not see those of the sequences; UBSan is none of them.
 *
 * A child of fork(2) sees all caches wiped (MADV_WIPEONFORK): zero is a cache
 * that fails every fast path.
 */
#ifndef PRIVHEAP_SRC_CACHE_H
#define PRIVHEAP_SRC_CACHE_H

#include "size_class.h"

struct front;
struct heap;
struct cache_slot;

#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__) && \
	!defined(__SANITIZE_THREAD__) && defined(__GLIBC_PREREQ)
#if __GLIBC_PREREQ(2, 35)
#define CACHE_RSEQ	1
#endif
#endif
#ifdef __has_feature
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || \
	__has_feature(memory_sanitizer)
#undef CACHE_RSEQ
#endif
#endif

#define CACHE_LINE_SHIFT	9
#define CACHE_LINE_MAX		127	/* entries; the last word is the sentinel */
#define CACHE_HEAD		1536	/* bytes before the lines, and no more */

/* The bit of HEAP_ZERO_MEMORY. */
#define CACHE_FLAG_ZERO		3

/* A front's map begins so many bytes behind its tables. */
#define CACHE_MAP		((size_t)128 << 10)

/**
 * struct cache - free slots of one heap at hand of one thread
 * @empty: CACHE_END: where a top of 0 points to
 * @heap: the key: the heap's handle; the cache's own address when revoked, which
 *	no program has, while NULL may be what it takes for a handle
 * @base: of the front: granule 0
 * @second: granule 1
 * @map: of the front
 * @limit: granules that have map bytes
 * @small: sizes below this are small; 0 in what is no real cache
 * @medium: sizes below this have a line, likewise
 * @front: what the slots are of, NULL when the cache is unused
 * @next: the next cache of @front, or in the slot's list of unused ones
 * @slot: the owner; NULL: the heap's lock, for those who have no cache
 * @caps: entries that a line may hold, by class
 * @tops: where the top entry of a line is, in bytes from the cache, by tag. A
 *	line grows downwards: its top is aligned to the size of a line when it is
 *	full, and points to CACHE_END when it is empty. For what is no tag it is
 *	0, which is both.
 */
struct cache {
	uint32_t empty;
	struct heap *heap;
	char *base;
	char *second;
	uint8_t *map;
	size_t limit;
	size_t small;
	size_t medium;
	struct front *front;
	struct cache *next;
	struct cache_slot *slot;
	uint8_t caps[CLASS_COUNT];
	uint32_t tops[256];
	/* the lines, from CACHE_HEAD on */
};

/* Behind the last entry of a line. No slot begins at granules 0 and 1. */
#define CACHE_END	1u

#define CACHE_SIZE	(CACHE_HEAD + ((CLASS_COUNT - 1) << CACHE_LINE_SHIFT))

static_assert(sizeof(struct cache) <= CACHE_HEAD, "the lines follow");
static_assert(CACHE_HEAD % (1 << CACHE_LINE_SHIFT) == 0, "lines are aligned");

/* The cache that the calling thread used last; never NULL. */
extern __thread struct cache *cache_current
	__attribute__((tls_model("initial-exec"), visibility("hidden")));

/**
 * enum cache_push - what came of a try to put a block onto its line
 * @CACHE_PUSHED: it is there
 * @CACHE_MISSED: nothing has changed: it is not this heap's, no live block begins
 *	there, the line is full, or it was interrupted
 * @CACHE_CLEARED: it was interrupted: the block is no block any more, but has
 *	to be put somewhere yet, under the lock
 */
enum cache_push {
	CACHE_PUSHED,
	CACHE_MISSED,
	CACHE_CLEARED,
};

#ifdef CACHE_RSEQ

/*
 * The distance of the thread's rseq area from the thread pointer; known before
 * there is a cache, and of use only with one.
 */
extern long cache_rseq_offset __attribute__((visibility("hidden")));

/* What the kernel wants to see before the address that it aborts to. */
#define CACHE_RSEQ_SIGNATURE	".byte 0x0f, 0xb9, 0x3d\n\t.long 0x53053053\n"

/*
 * Begins a restartable sequence, from label 1 to label 2; aborts to label 4.
 * @scratch is left with the address of something that is aligned to @align.
 */
#define CACHE_RSEQ_BEGIN(align, scratch, area)				\
	".pushsection __rseq_cs, \"aw\"\n\t"				\
	".balign " align "\n"						\
	"3:\t.long 0, 0\n\t"						\
	".quad 1f, 2f - 1f, 4f\n\t"					\
	".popsection\n\t"						\
	"leaq 3b(%%rip), " scratch "\n\t"				\
	"movq %[offset], " area "\n\t"				\
	"movq " scratch ", %%fs:8(" area ")\n"				\
	"1:\t"

/*
 * Takes an entry off a line, and says in the map what it is now; jumps to miss
 * where the cache is not this heap's, the line is empty, HEAP_ZERO_MEMORY is
 * wanted, or it was interrupted. @find has the tag, and @write writes the mark.
 *
 * Nothing of the front is looked at before the key: another heap's may be gone.
 *
 * The map is written before the store that counts. After an abort in between the
 * top entry of the line looks like a live block: it is taken at once again, or
 * cache_revoke() sets that right.
 *
 * One jump does for the flag, which is in the carry, and for the end of the line:
 * decl sets zero there, and leaves the carry alone. So the entry is one less than
 * it was from there on.
 */
#define CACHE_POP_ASM(find, write, cache, heap, flags, size, index, block) \
	asm volatile goto(						\
		CACHE_RSEQ_BEGIN("32", "%[map]", "%[ent]")		\
		"cmpq %[hp], %c[key](%[ca])\n\t"			\
		"jne %l[miss]\n\t"					\
		"movq %c[mapat](%[ca]), %[map]\n\t"			\
		find							\
		"movl %c[tops](%[ca], %[tag], 4), %k[ent]\n\t"		\
		"movl (%[ca], %[ent]), %k[ent]\n\t"			\
		"btl %[zero], %k[fl]\n\t"				\
		"decl %k[ent]\n\t"					\
		"jbe %l[miss]\n\t"					\
		write							\
		"addl $4, %c[tops](%[ca], %[tag], 4)\n"			\
		"2:\tshlq $4, %[ent]\n\t"				\
		"addq %c[second](%[ca]), %[ent]\n\t"			\
		".pushsection .text.cache_abort, \"ax\"\n\t"		\
		CACHE_RSEQ_SIGNATURE					\
		"4:\tjmp %l[miss]\n\t"				\
		".popsection"						\
		: [ent] "=&r" (block), [map] "=&r" (map),		\
		  [mark] "=&r" (mark), [tag] "=&r" (tag)		\
		: [ca] "r" (cache), [hp] "r" (heap), [fl] "r" (flags),	\
		  [sz] "r" (size), [ix] "r" (index),			\
		  [offset] "m" (cache_rseq_offset),			\
		  [zero] "i" (CACHE_FLAG_ZERO),				\
		  [key] "i" (offsetof(struct cache, heap)),		\
		  [mapat] "i" (offsetof(struct cache, map)),		\
		  [second] "i" (offsetof(struct cache, second)),	\
		  [tops] "i" (offsetof(struct cache, tops)),		\
		  [small] "i" (CACHE_TABLE(small)),			\
		  [medium] "i" (CACHE_TABLE(medium))			\
		: "memory", "cc"					\
		: miss)

/* Where a table is, from the map. */
#define CACHE_TABLE(name) \
	((long)offsetof(struct class_tables, name) - (long)CACHE_MAP)

/*
 * A block of this size, or NULL. The cache must be one that serves the size: see
 * its @small and @medium.
 */
static inline void *cache_pop_small(struct cache *cache, const void *heap,
				    unsigned int flags, size_t size)
{
	unsigned long map, mark, tag;
	void *block;

	CACHE_POP_ASM("movzwl %c[small](%[map], %[sz], 2), %k[mark]\n\t"
		      "movzbl %b[mark], %k[tag]\n\t",
		      "movw %w[mark], 1(%[map], %[ent])\n\t",
		      cache, heap, flags, size, size, block);
	if (!block)
		__builtin_unreachable();
	return block;
miss:
	return NULL;
}

/*
 * The multiplication is there because it leaves the size alone, for the slow way,
 * and takes one instruction; nobody waits for what it is a part of.
 */
static inline void *cache_pop_medium(struct cache *cache, const void *heap,
				     unsigned int flags, size_t size)
{
	unsigned long index = (uint32_t)(size - 1) / 128;
	unsigned long map, mark, tag;
	void *block;

	CACHE_POP_ASM("movzbl %c[medium](%[map], %[ix], 4), %k[tag]\n\t",
		      "imull $256, %k[sz], %k[mark]\n\t"
		      "addl %c[medium](%[map], %[ix], 4), %k[mark]\n\t"
		      "movl %k[mark], 1(%[map], %[ent])\n\t",
		      cache, heap, flags, size, index, block);
	if (!block)
		__builtin_unreachable();
	return block;
miss:
	return NULL;
}

/*
 * Puts the block at this granule, which is below the limit, onto its line, and
 * clears its map byte. The map is written before the store that counts. Nobody
 * but the caller has to do with a live block's byte.
 *
 * After an abort the tag says whether there was a block: until it is read its
 * lowest byte is 0, as of an address that is aligned to 256.
 */
static inline enum cache_push cache_push(struct cache *cache, const void *heap,
					 unsigned long entry)
{
	unsigned long top, map, tag;

	asm volatile goto(
		CACHE_RSEQ_BEGIN("256", "%[tag]", "%[top]")
		"cmpq %[hp], %c[key](%[ca])\n\t"
		"jne %l[miss]\n\t"
		"movq %c[mapat](%[ca]), %[map]\n\t"
		"movzbl (%[map], %[ent]), %k[tag]\n\t"
		"movl %c[tops](%[ca], %[tag], 4), %k[top]\n\t"
		"testl $0x1fc, %k[top]\n\t"
		"je %l[miss]\n\t"
		"movb $0, (%[map], %[ent])\n\t"
		"movl %k[ent], -4(%[ca], %[top])\n\t"
		"subl $4, %c[tops](%[ca], %[tag], 4)\n"
		"2:\n\t"
		".pushsection .text.cache_abort, \"ax\"\n\t"
		CACHE_RSEQ_SIGNATURE
		"4:\ttestb %b[tag], %b[tag]\n\t"
		"jns %l[miss]\n\t"
		"cmpb $0, (%[map], %[ent])\n\t"
		"je %l[cleared]\n\t"
		"jmp %l[miss]\n\t"
		".popsection"
		: [top] "=&r" (top), [map] "=&r" (map), [tag] "=&r" (tag)
		: [ca] "r" (cache), [hp] "r" (heap), [ent] "r" (entry),
		  [offset] "m" (cache_rseq_offset),
		  [key] "i" (offsetof(struct cache, heap)),
		  [mapat] "i" (offsetof(struct cache, map)),
		  [tops] "i" (offsetof(struct cache, tops))
		: "memory", "cc"
		: miss, cleared);
	return CACHE_PUSHED;
miss:
	return CACHE_MISSED;
cleared:
	return CACHE_CLEARED;
}

/*
 * Stores into two bytes (@width "w") or four ("k") that belong to a live block
 * of the caller's; jumps to miss where the heap is not the cache's, or no more.
 */
#define CACHE_STORE_ASM(width, cache, heap, at, value)			\
	asm volatile goto(						\
		CACHE_RSEQ_BEGIN("32", "%[scr]", "%[area]")		\
		"cmpq %[hp], %c[key](%[ca])\n\t"			\
		"jne %l[miss]\n\t"					\
		"mov %" width "[val], (%[to])\n"			\
		"2:\n\t"						\
		".pushsection .text.cache_abort, \"ax\"\n\t"		\
		CACHE_RSEQ_SIGNATURE					\
		"4:\tjmp %l[miss]\n\t"				\
		".popsection"						\
		: [area] "=&r" (area), [scr] "=&r" (scratch)		\
		: [ca] "r" (cache), [hp] "r" (heap), [to] "r" (at),	\
		  [val] "r" (value), [offset] "m" (cache_rseq_offset),	\
		  [key] "i" (offsetof(struct cache, heap))		\
		: "memory", "cc"					\
		: miss)

/* false: it has not changed, for whoever revoked the cache relies on that. */
static inline bool cache_store_2(struct cache *cache, const void *heap,
				 void *at, uint16_t value)
{
	unsigned long area, scratch;

	CACHE_STORE_ASM("w", cache, heap, at, value);
	return true;
miss:
	return false;
}

static inline bool cache_store_4(struct cache *cache, const void *heap,
				 void *at, uint32_t value)
{
	unsigned long area, scratch;

	CACHE_STORE_ASM("k", cache, heap, at, value);
	return true;
miss:
	return false;
}

#else /* no rseq: nobody has a cache */

static inline void *cache_pop_small(struct cache *cache, const void *heap,
				    unsigned int flags, size_t size)
{
	(void)cache, (void)heap, (void)flags, (void)size;
	return NULL;
}

static inline void *cache_pop_medium(struct cache *cache, const void *heap,
				     unsigned int flags, size_t size)
{
	(void)cache, (void)heap, (void)flags, (void)size;
	return NULL;
}

static inline enum cache_push cache_push(struct cache *cache, const void *heap,
					 unsigned long entry)
{
	(void)cache, (void)heap, (void)entry;
	return CACHE_MISSED;
}

static inline bool cache_store_2(struct cache *cache, const void *heap,
				 void *at, uint16_t value)
{
	(void)cache, (void)heap, (void)at, (void)value;
	return false;
}

static inline bool cache_store_4(struct cache *cache, const void *heap,
				 void *at, uint32_t value)
{
	(void)cache, (void)heap, (void)at, (void)value;
	return false;
}

#endif /* CACHE_RSEQ */

/* The granule of a block; at least the limit, if it can be none of this heap. */
static inline unsigned long cache_granule(const struct cache *cache,
					  const void *block)
{
	uintptr_t offset = (uintptr_t)block - (uintptr_t)cache->base;

	/* Bits that a granule's address has not go to the top. */
	return offset >> 4 | offset << (8 * sizeof(offset) - 4);
}

/*
 * The address that cache_granule() has made a granule of by the current cache,
 * whatever it was. Fast paths that end with this, where they miss, need not keep
 * the address.
 */
static inline void *cache_address(unsigned long granule)
{
	/* The compiler would see through it, and keep it and the cache, too. */
	asm("" : "+r" (granule) : : "memory");
	return (void *)((uintptr_t)cache_current->base +
			(granule << 4 | granule >> (8 * sizeof(granule) - 4)));
}

/* What a front has for the fast paths. */
static inline const struct class_tables *cache_tables(const struct cache *cache)
{
	return (const struct class_tables *)(cache->map - CACHE_MAP);
}

/*
 * The functions below want the lock of the heap that the front or the cache is
 * of, unless the program keeps its threads apart itself.
 */

/* Prepares a cache, of zeroes or used before, for a front. */
void cache_attach(struct cache *cache, struct front *front);

/* The calling thread's cache of a front, or NULL: there can be none. */
struct cache *cache_get(struct front *front);

/* The same, if there is one already; without any lock. */
struct cache *cache_peek(const struct front *front);

/* Gives the key back to the calling thread, and makes it its current cache. */
void cache_enable(struct cache *cache, struct heap *heap);

/*
 * Takes the keys of all caches of a front, and has the fast paths that are under
 * way aborted: nobody works on the caches any more when it returns.
 */
void cache_revoke(struct front *front);

/* Takes all threads' caches, which are of no use any more, from a front. */
void cache_detach(struct front *front);

/* The owner's, or after a revoke anybody's, way to the lines. */
unsigned int cache_count(const struct cache *cache, unsigned int class);
uint32_t *cache_entries(struct cache *cache, unsigned int class);

/* Makes room for more in a line: sets its capacity; the line must be empty. */
void cache_set_cap(struct cache *cache, unsigned int class, unsigned int cap);

/* Puts @count entries onto a line that has room for them. */
void cache_fill(struct cache *cache, unsigned int class,
		const uint32_t *entries, unsigned int count);

/* Tells the owners of a front's caches apart; 0 is also that of no owner. */
unsigned int cache_number(const struct cache *cache);

/* Takes the newest entry off a line that is not empty. */
void cache_drain_newest(struct cache *cache, unsigned int class,
			uint32_t *entry);

/* Takes up to @count of the oldest entries off a line. */
unsigned int cache_drain(struct cache *cache, unsigned int class,
			 uint32_t *entries, unsigned int count);

#endif /* PRIVHEAP_SRC_CACHE_H */

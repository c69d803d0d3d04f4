/* SPDX-License-Identifier: MIT */
/*
 * libprivheap-malloc.so: malloc(3) and its family on one heap, for programs that
 * know nothing of heaps.
 *
 * The library's objects are linked into it, and nothing of them is visible: a
 * program that uses libprivheap.so as well has heaps of its own, beside this one.
 * Nothing in here, nor in what is called from here, may call malloc.
 */
#ifndef PRIVHEAP_PRELOAD_PRELOAD_H
#define PRIVHEAP_PRELOAD_PRELOAD_H

#include <privheap/heapapi.h>

#include "../src/blocks.h"
#include "../src/common.h"

/* What the C library aligns to: max_align_t. Heaps do so with 64 bits only. */
#define MEMORY_ALIGN		((size_t)16)

/* memory.c: blocks, wherever they are. What fails sets errno, ENOMEM or EINVAL. */

/**
 * memory_get - allocate
 * @size: bytes; 0 is a block of its own, too
 * @flags: 0 or HEAP_ZERO_MEMORY
 *
 * Return: a block, aligned to MEMORY_ALIGN; NULL: there is no memory, or the heap
 * may have no more. errno is left alone on success.
 */
void *memory_get(size_t size, DWORD flags);

/**
 * memory_get_aligned - allocate at a multiple
 * @align: a power of two
 * @size: bytes
 *
 * Return: as memory_get().
 */
void *memory_get_aligned(size_t align, size_t size);

/**
 * memory_resize - give a block another size
 * @pointer: the block
 * @size: bytes, more than 0
 *
 * Return: the block, which may have moved, and then is aligned to MEMORY_ALIGN;
 * NULL: it is as it was.
 */
void *memory_resize(void *pointer, size_t size);

/**
 * memory_put - free
 * @pointer: a block; what is none ends the process
 */
void memory_put(void *pointer);

/* Bytes of a block that may be used; what is none ends the process. */
size_t memory_size(const void *pointer);

/* The heap of this process, or NULL: it has not allocated yet. */
HANDLE memory_heap(void);

/* For fork(2): no heap is made between these two. */
void memory_lock(void);
void memory_unlock(void);

/* In a child: there is no heap yet, and memory_lock() is not held. */
void memory_forget(void);

/* early.c: before the program runs. Never freed, and all zero. */

void *early_get(size_t align, size_t size);

static inline bool early_owns(const void *pointer)
{
	extern char early_arena[] __attribute__((visibility("hidden")));
	extern const size_t early_length __attribute__((visibility("hidden")));

	return (uintptr_t)pointer - (uintptr_t)early_arena < early_length;
}

/* Of a block that early_owns(). */
size_t early_size(const void *pointer);

/* settings.c: what the environment says, and what is told about it. */

/* PRIVHEAP_MALLOC_LIMIT. */
void settings_apply(HANDLE heap);

/* Why there is no heap, once. */
void settings_complain(void);

/* A line, and abort(3), as the C library does. */
void settings_die(const char *what, const void *pointer) __attribute__((noreturn));

/* forks.c */

/* From here on children have what this process has allocated. */
void forks_watch(void);

/* inherited.c: in a child, the blocks that it has of its parent and of theirs. */

/* @heap was the parent's, and all of its memory is readable here. */
void inherited_add(HANDLE heap);

/* false: is no such block. */
bool inherited_size(const void *block, size_t *size);

/* Gives back what can be, of a block that inherited_size() knows. */
void inherited_put(void *block);

#endif /* PRIVHEAP_PRELOAD_PRELOAD_H */

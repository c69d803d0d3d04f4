// SPDX-License-Identifier: MIT
/* What tools that watch memory are told: see annotate.h. */
#include <privheap/region.h>

#include "annotate.h"

/*
 * Without its headers (Debian: valgrind) the library knows nothing of valgrind; nor
 * with NVALGRIND, for who looks for mistakes of the library.
 */
#if defined(__has_include) && !defined(NVALGRIND)
#if __has_include(<valgrind/memcheck.h>)
#include <valgrind/memcheck.h>
#endif
#endif
#ifndef RUNNING_ON_VALGRIND
static inline void no_request(const void *block, ...)
{
	(void)block;
}

#define RUNNING_ON_VALGRIND			0
#define VALGRIND_DISABLE_ERROR_REPORTING	no_request(NULL)
#define VALGRIND_ENABLE_ERROR_REPORTING		no_request(NULL)
#define VALGRIND_MAKE_MEM_NOACCESS		no_request
#define VALGRIND_MAKE_MEM_DEFINED		no_request
#define VALGRIND_MALLOCLIKE_BLOCK		no_request
#define VALGRIND_RESIZEINPLACE_BLOCK		no_request
#define VALGRIND_FREELIKE_BLOCK			no_request
#endif

/* A library that is instrumented itself would be reported for its own work. */
#ifdef __SANITIZE_ADDRESS__
#define INSTRUMENTED	1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define INSTRUMENTED	1
#endif
#endif
#ifndef INSTRUMENTED
#define INSTRUMENTED	0
#endif

#define WEAK	__attribute__((weak, visibility("default")))

/* Of the runtime that a program has when it was built with -fsanitize=address. */
WEAK void __asan_poison_memory_region(const volatile void *start, size_t size);
WEAK void __asan_unpoison_memory_region(const volatile void *start, size_t size);
WEAK void __lsan_register_root_region(const void *start, size_t size);
WEAK void __lsan_unregister_root_region(const void *start, size_t size);

/* Of the library that heaptrack(1) preloads. */
WEAK void heaptrack_malloc(void *block, size_t size);
WEAK void heaptrack_realloc(void *before, size_t size, void *block);
WEAK void heaptrack_free(void *block);

atomic_uint annotate_tools;

static inline bool told(unsigned int tool)
{
	return atomic_load_explicit(&annotate_tools, memory_order_relaxed) & tool;
}

__attribute__((constructor)) void annotate_start(void)
{
	unsigned int tools = 0;

	if (RUNNING_ON_VALGRIND)
		tools |= ANNOTATE_VALGRIND;
	if (!INSTRUMENTED && __asan_poison_memory_region && __asan_unpoison_memory_region)
		tools |= ANNOTATE_ASAN;
	if (heaptrack_malloc && heaptrack_realloc && heaptrack_free)
		tools |= ANNOTATE_HEAPTRACK;
	atomic_store_explicit(&annotate_tools, tools, memory_order_relaxed);
}

bool annotate_needs_anonymous(void)
{
	return told(ANNOTATE_VALGRIND);
}

void annotate_quiet(void)
{
	if (told(ANNOTATE_VALGRIND))
		VALGRIND_DISABLE_ERROR_REPORTING;
}

void annotate_loud(void)
{
	if (told(ANNOTATE_VALGRIND))
		VALGRIND_ENABLE_ERROR_REPORTING;
}

/*
 * LeakSanitizer reads all of a root region that can be read by its protection, which
 * uncommitted parts of the module's regions can as well: it would die of the fault.
 */
static bool leaks_seen(void)
{
	return told(ANNOTATE_ASAN) && __lsan_register_root_region &&
	       __lsan_unregister_root_region &&
	       privheap_backend() == PRIVHEAP_BACKEND_ANONYMOUS;
}

void annotate_region(void *base, size_t size)
{
	if (leaks_seen())
		__lsan_register_root_region(base, size);
}

void annotate_region_end(void *base, size_t size)
{
	if (leaks_seen())
		__lsan_unregister_root_region(base, size);
	/* Whatever comes to lie there next. */
	if (told(ANNOTATE_ASAN))
		__asan_unpoison_memory_region(base, size);
}

void annotate_commit(void *start, size_t size)
{
	if (told(ANNOTATE_VALGRIND))
		VALGRIND_MAKE_MEM_NOACCESS(start, size);
	if (told(ANNOTATE_ASAN))
		__asan_poison_memory_region(start, size);
}

void annotate_header(void *start, size_t size)
{
	if (told(ANNOTATE_VALGRIND))
		VALGRIND_MAKE_MEM_DEFINED(start, size);
}

void annotate_alloc(void *block, size_t size)
{
	if (told(ANNOTATE_VALGRIND))
		VALGRIND_MALLOCLIKE_BLOCK(block, size, 0, 0);
	if (told(ANNOTATE_ASAN))
		__asan_unpoison_memory_region(block, size);
	if (told(ANNOTATE_HEAPTRACK))
		heaptrack_malloc(block, size);
}

void annotate_resize(void *block, size_t old, size_t size)
{
	if (told(ANNOTATE_VALGRIND))
		VALGRIND_RESIZEINPLACE_BLOCK(block, old, size, 0);
	if (told(ANNOTATE_ASAN)) {
		__asan_poison_memory_region(block, old);
		__asan_unpoison_memory_region(block, size);
	}
	if (told(ANNOTATE_HEAPTRACK))
		heaptrack_realloc(block, size, block);
}

void annotate_free(void *block, size_t size)
{
	if (told(ANNOTATE_VALGRIND))
		VALGRIND_FREELIKE_BLOCK(block, 0);
	if (told(ANNOTATE_ASAN))
		__asan_poison_memory_region(block, size);
	if (told(ANNOTATE_HEAPTRACK))
		heaptrack_free(block);
}

void annotate_bad_free(void *block)
{
	if (told(ANNOTATE_VALGRIND))
		VALGRIND_FREELIKE_BLOCK(block, 0);
}

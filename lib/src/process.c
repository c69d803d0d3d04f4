// SPDX-License-Identifier: MIT
/* Notices that this process is a child that fork(2) made: see process.h. */
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <unistd.h>

#include "annotate.h"
#include "process.h"

static pthread_once_t process_once = PTHREAD_ONCE_INIT;
static atomic_uint process_fallback;	/* PROCESS_NEW, until there is a page */
_Atomic(atomic_uint *) process_state = &process_fallback;
size_t process_page_size;

static void process_fallback_child(void)
{
	atomic_store(&process_fallback, PROCESS_NEW);
}

/* Before any other thread, where the library's constructors come first. */
__attribute__((constructor)) static void process_init(void)
{
	process_page_size = (size_t)sysconf(_SC_PAGESIZE);
}

static void process_make_page(void)
{
	atomic_uint *state;
	void *page;

	page = mmap(NULL, page_size(), PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (page != MAP_FAILED && !madvise(page, page_size(), MADV_WIPEONFORK)) {
		state = page;
	} else {
		/* No such page: the forks of the C library are seen at least. */
		if (page != MAP_FAILED)
			munmap(page, page_size());
		pthread_atfork(NULL, NULL, process_fallback_child);
		state = &process_fallback;
	}
	atomic_store_explicit(&process_state, state, memory_order_release);
}

size_t process_ask_page_size(void)
{
	process_init();
	return process_page_size;
}

void process_start(void)
{
	atomic_uint *state;
	unsigned int expected = PROCESS_NEW;

	pthread_once(&process_once, process_make_page);
	state = atomic_load_explicit(&process_state, memory_order_acquire);

	if (!atomic_compare_exchange_strong(state, &expected,
					    PROCESS_STARTING)) {
		while (atomic_load_explicit(state, memory_order_acquire) !=
		       PROCESS_READY)
			sched_yield();
		return;
	}

	annotate_start();
	module_forget();
	anonymous_forget();
	region_forget();
	cache_forget();
	heap_forget();
	virtual_forget();
	atomic_store_explicit(state, PROCESS_READY, memory_order_release);
}

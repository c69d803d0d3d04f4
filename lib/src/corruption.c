// SPDX-License-Identifier: MIT
/* HeapEnableTerminationOnCorruption: see corruption.h. */
#include <stdatomic.h>
#include <stdlib.h>

#include "corruption.h"
#include "message.h"

/* A child of fork keeps it: it was asked for by the program that it runs. */
static atomic_bool corruption_terminates;

void corruption_terminate(void)
{
	atomic_store_explicit(&corruption_terminates, true,
			      memory_order_relaxed);
}

void corruption_found(const char *function, HANDLE heap, const void *block)
{
	struct message message = { .length = 0 };

	if (!atomic_load_explicit(&corruption_terminates, memory_order_relaxed))
		return;

	message_text(&message, function);
	message_text(&message, ": heap corruption, exception ");
	message_hex(&message, STATUS_HEAP_CORRUPTION, 8);
	message_text(&message, ": heap ");
	message_hex(&message, (uintptr_t)heap, 1);
	if (block) {
		message_text(&message, " has no block ");
		message_hex(&message, (uintptr_t)block, 1);
	} else {
		message_text(&message, " has damaged control data");
	}
	message_write(&message);
	abort();
}

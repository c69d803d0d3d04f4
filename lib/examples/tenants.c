// SPDX-License-Identifier: MIT
/*
 * A host of three tenants in one process: each has a heap that grows as it
 * needs, but only to a cap. One of them leaks. It is refused, and nobody is
 * killed; the others do not notice, and a new heap makes the leak undone. Then all
 * of them leak: each is refused by its own cap.
 *
 * The program checks what it says. It ends with 1 when something does not hold.
 */
#include <stdio.h>
#include <string.h>

#include <privheap/heapapi.h>

#define MIB		((SIZE_T)1 << 20)
#define CAP		(16 * MIB)

#define TENANTS		3
#define REQUESTS	4000
#define BUFFERS		8
#define BUFFER		((SIZE_T)6000)

/**
 * struct tenant - somebody whose code the host runs
 * @name: for the table
 * @leaks: keeps a buffer of each request
 * @heap: all that it has
 * @served: requests that went well
 * @refused: requests for which there was no memory
 */
struct tenant {
	const char *name;
	int leaks;
	HANDLE heap;
	unsigned int served;
	unsigned int refused;
};

static struct tenant tenants[TENANTS] = {
	{ .name = "anna" }, { .name = "bert", .leaks = 1 }, { .name = "cleo" },
};

static HANDLE capped_heap(void)
{
	PRIVHEAP_LIMIT_INFORMATION limit = {
		.cb = sizeof(limit),
		.dwSet = PRIVHEAP_SET_HARD,
		.cbHard = CAP,
	};
	HANDLE heap = HeapCreate(0, 0, 0);

	if (heap && !HeapSetInformation(heap, PrivheapCommitLimit, &limit,
					sizeof(limit))) {
		HeapDestroy(heap);
		return NULL;
	}
	return heap;
}

/* A request: buffers come, are used, and go. */
static void serve(struct tenant *tenant)
{
	void *buffers[BUFFERS];
	int count, i;

	for (count = 0; count < BUFFERS; count++) {
		buffers[count] = HeapAlloc(tenant->heap, 0, BUFFER);
		if (!buffers[count])
			break;
		memset(buffers[count], count, BUFFER);
	}
	if (count == BUFFERS)
		tenant->served++;
	else
		tenant->refused++;
	for (i = count == BUFFERS ? tenant->leaks : 0; i < count; i++)
		HeapFree(tenant->heap, 0, buffers[i]);
}

static int serve_all(void)
{
	PRIVHEAP_LIMIT_INFORMATION limit;
	struct tenant *tenant;
	int i, request, bad = 0;

	for (request = 0; request < REQUESTS; request++)
		for (i = 0; i < TENANTS; i++)
			serve(&tenants[i]);

	printf("%-8s%10s%10s%12s%12s%10s\n", "tenant", "served", "refused",
	       "KiB now", "KiB peak", "denials");
	for (i = 0; i < TENANTS; i++) {
		tenant = &tenants[i];
		if (!HeapQueryInformation(tenant->heap, PrivheapCommitLimit,
					  &limit, sizeof(limit), NULL))
			return 1;
		printf("%-8s%10u%10u%12llu%12llu%10llu\n", tenant->name,
		       tenant->served, tenant->refused,
		       (unsigned long long)limit.cbUsage / 1024,
		       (unsigned long long)limit.cbPeak / 1024,
		       (unsigned long long)limit.cDenials);
		bad |= limit.cbPeak > CAP;
		bad |= !tenant->refused != !tenant->leaks;
		bad |= tenant->served + tenant->refused != REQUESTS;
		tenant->served = 0;
		tenant->refused = 0;
	}
	return bad;
}

int main(void)
{
	int i, bad;

	for (i = 0; i < TENANTS; i++) {
		tenants[i].heap = capped_heap();
		if (!tenants[i].heap) {
			fprintf(stderr, "no heap: error %u\n", GetLastError());
			return 1;
		}
	}
	printf("%d requests of each tenant, %zu MiB for each:\n", REQUESTS,
	       CAP / MIB);
	bad = serve_all();

	/* All that it has ever leaked goes with its heap. */
	HeapDestroy(tenants[1].heap);
	tenants[1].heap = capped_heap();
	tenants[1].leaks = 0;
	printf("\n%s has a new heap, and its leak is mended:\n",
	       tenants[1].name);
	bad |= !tenants[1].heap || serve_all();

	for (i = 0; i < TENANTS; i++)
		tenants[i].leaks = 1;
	printf("\nAll of them leak:\n");
	bad |= serve_all();

	for (i = 0; i < TENANTS; i++)
		bad |= !HeapDestroy(tenants[i].heap);
	printf("\n%s\n", bad ? "FAILED: a cap did not hold, or hit the wrong one" :
			       "nobody was killed, and only who leaked was refused");
	return bad;
}

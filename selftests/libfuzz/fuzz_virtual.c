// SPDX-License-Identifier: GPL-2.0-only
/*
 * VirtualAlloc(), VirtualFree() and VirtualQuery() as the input says, held against
 * a state for each page of each reservation.
 */
#include <stdbool.h>
#include <unistd.h>

#include <privheap/memoryapi.h>

#include "fuzz.h"

#define RESERVATIONS	4
#define PAGES		64
#define PAGE		4096UL

struct reservation {
	unsigned char *base;
	unsigned int pages;
	DWORD protect;			/* that it was made with */
	DWORD page[PAGES];		/* PAGE_*; 0: not committed */
	uint8_t byte[PAGES];		/* its first one */
};

static struct reservation reservations[RESERVATIONS];

static const DWORD protects[] = {
	PAGE_NOACCESS, PAGE_READONLY, PAGE_READWRITE, PAGE_READWRITE,
	PAGE_EXECUTE, PAGE_EXECUTE_READ, PAGE_EXECUTE_READWRITE, PAGE_READWRITE,
};

static bool executable(DWORD protect)
{
	return protect >= PAGE_EXECUTE;
}

static void reserve(struct fuzz_input *input, struct reservation *to)
{
	unsigned int bytes = 1 + fuzz_u32(input) % (PAGES * PAGE);
	DWORD protect = protects[fuzz_u8(input) % 8];
	bool commit = fuzz_u8(input) & 1;

	if (to->base)
		return;
	to->base = VirtualAlloc(NULL, bytes, MEM_RESERVE | (commit ? MEM_COMMIT : 0), protect);
	if (!to->base) {
		FUZZ_CHECK(GetLastError() == ERROR_NOT_ENOUGH_MEMORY, "%u", GetLastError());
		return;
	}
	FUZZ_CHECK(!((uintptr_t)to->base % 65536), "%p", to->base);
	to->pages = (bytes + PAGE - 1) / PAGE;
	to->protect = protect;
	for (unsigned int i = 0; i < to->pages; i++) {
		to->page[i] = commit ? protect : 0;
		to->byte[i] = 0;
	}
}

/* A range of bytes, perhaps beyond the end; the pages it meets. */
static bool some_range(struct fuzz_input *input, const struct reservation *of,
		       unsigned char **at, size_t *length, unsigned int *first,
		       unsigned int *last)
{
	size_t start = fuzz_u32(input) % (of->pages * PAGE);

	*length = 1 + fuzz_u32(input) % (PAGES * PAGE);
	*at = of->base + start;
	*first = start / PAGE;
	*last = (start + *length - 1) / PAGE;
	return *last < of->pages;
}

static void commit(struct fuzz_input *input, struct reservation *in)
{
	DWORD protect = protects[fuzz_u8(input) % 8];
	unsigned int first, last;
	unsigned char *at, *got;
	size_t length;
	bool inside;

	if (!in->base)
		return;
	inside = some_range(input, in, &at, &length, &first, &last);
	got = VirtualAlloc(at, length, MEM_COMMIT, protect);
	if (!inside || (executable(protect) && !executable(in->protect))) {
		FUZZ_CHECK(!got, "commit beyond the end, or without the right");
		FUZZ_CHECK(GetLastError() == ERROR_INVALID_ADDRESS ||
			   GetLastError() == ERROR_NOT_SUPPORTED, "%u", GetLastError());
		return;
	}
	FUZZ_CHECK(got == in->base + first * PAGE, "%p: error %u", got, GetLastError());
	for (; first <= last; first++) {
		if (!in->page[first])
			in->byte[first] = 0;
		in->page[first] = protect;
	}
}

static void decommit(struct fuzz_input *input, struct reservation *in)
{
	unsigned int first, last;
	unsigned char *at;
	size_t length;

	if (!in->base)
		return;
	if (!some_range(input, in, &at, &length, &first, &last)) {
		FUZZ_CHECK(!VirtualFree(at, length, MEM_DECOMMIT) &&
			   GetLastError() == ERROR_INVALID_PARAMETER, "%u", GetLastError());
		return;
	}
	FUZZ_CHECK(VirtualFree(at, length, MEM_DECOMMIT), "%u", GetLastError());
	for (; first <= last; first++)
		in->page[first] = 0;
}

static void release(struct fuzz_input *input, struct reservation *which)
{
	uint8_t how = fuzz_u8(input);

	if (!which->base)
		return;
	if (how & 1) {
		/* Not so. */
		FUZZ_CHECK(!VirtualFree(which->base, how, MEM_RELEASE) &&
			   GetLastError() == ERROR_INVALID_PARAMETER, "%u", GetLastError());
		if (which->pages > 1)
			FUZZ_CHECK(!VirtualFree(which->base + PAGE, 0, MEM_RELEASE),
				   "released by an address inside");
	}
	FUZZ_CHECK(VirtualFree(which->base, 0, MEM_RELEASE), "%u", GetLastError());
	which->base = NULL;
}

static void touch(struct fuzz_input *input, struct reservation *in)
{
	unsigned int page = fuzz_u8(input);

	if (!in->base)
		return;
	page %= in->pages;
	if (!in->page[page] || in->page[page] == PAGE_NOACCESS)
		return;
	FUZZ_CHECK(in->base[page * PAGE] == in->byte[page], "page %u has %u, should have %u",
		   page, in->base[page * PAGE], in->byte[page]);
	if (in->page[page] == PAGE_READWRITE || in->page[page] == PAGE_EXECUTE_READWRITE) {
		in->byte[page] = fuzz_u8(input);
		in->base[page * PAGE] = in->byte[page];
	}
}

/* PAGE_EXECUTE is told as what it is. */
static DWORD told(DWORD protect)
{
	return protect == PAGE_EXECUTE ? PAGE_EXECUTE_READ : protect;
}

static void query(struct fuzz_input *input, const struct reservation *in)
{
	unsigned int page = fuzz_u8(input), end;
	MEMORY_BASIC_INFORMATION info;

	if (!in->base)
		return;
	page %= in->pages;
	FUZZ_CHECK(VirtualQuery(in->base + page * PAGE + fuzz_u16(input) % PAGE, &info,
				sizeof(info)) == sizeof(info), "%u", GetLastError());
	for (end = page + 1; end < in->pages && told(in->page[end]) == told(in->page[page]);)
		end++;
	FUZZ_CHECK(info.BaseAddress == in->base + page * PAGE &&
		   info.AllocationBase == in->base && info.Type == MEM_PRIVATE &&
		   info.State == (in->page[page] ? MEM_COMMIT : MEM_RESERVE) &&
		   told(info.Protect) == told(in->page[page]),
		   "page %u of %p: %p %p %x %x %x", page, in->base, info.BaseAddress,
		   info.AllocationBase, info.State, info.Protect, info.Type);
	FUZZ_CHECK(info.RegionSize == (end - page) * PAGE, "page %u: %zu", page,
		   info.RegionSize);
}

/* Any arguments at all; what works by chance is undone at once. */
static void anything(struct fuzz_input *input)
{
	uint8_t raw = fuzz_u8(input);
	void *address = raw & 1 ? (void *)(uintptr_t)fuzz_u64(input) : NULL;
	SIZE_T size = fuzz_u64(input);
	DWORD type = fuzz_u32(input), protect = fuzz_u32(input);
	MEMORY_BASIC_INFORMATION info;
	unsigned char *got;

	for (unsigned int i = 0; i < RESERVATIONS; i++) {
		const struct reservation *in = &reservations[i];

		if (in->base && (uintptr_t)address >= (uintptr_t)in->base &&
		    (uintptr_t)address < (uintptr_t)in->base + in->pages * PAGE)
			return;
	}
	if (raw & 2)
		type &= MEM_RESERVE | MEM_COMMIT | MEM_RESET | MEM_RESET_UNDO | MEM_TOP_DOWN;
	if (raw & 4)
		protect = protects[protect % 8];
	got = VirtualAlloc(address, size, type, protect);
	FUZZ_CHECK(!got || !address, "%p of %zu", address, size);
	if (got)
		FUZZ_CHECK(VirtualFree(got, 0, MEM_RELEASE), "%u", GetLastError());
	FUZZ_CHECK(!VirtualFree(address, size, type), "%p was freed", address);
	VirtualQuery(address, &info, raw & 8 ? sizeof(info) : protect % sizeof(info));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = { .data = data, .left = size };

	while (input.left) {
		uint8_t what = fuzz_u8(&input);
		struct reservation *which = &reservations[what / 16 % RESERVATIONS];

		switch (what % 16) {
		case 0 ... 2:
			reserve(&input, which);
			break;
		case 3 ... 5:
			commit(&input, which);
			break;
		case 6 ... 7:
			decommit(&input, which);
			break;
		case 8:
			release(&input, which);
			break;
		case 9 ... 11:
			touch(&input, which);
			break;
		case 12 ... 14:
			query(&input, which);
			break;
		default:
			anything(&input);
		}
	}
	for (unsigned int i = 0; i < RESERVATIONS; i++) {
		if (reservations[i].base)
			VirtualFree(reservations[i].base, 0, MEM_RELEASE);
		reservations[i].base = NULL;
	}
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Coverage of the module by KCOV: what has been reached is kept as a hash table of
 * PCs and a bitmap of hashed steps from one PC to the next.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include <linux/kcov.h>

#include "fuzz.h"

#define WORDS		(64 * 1024)
#define PCS		(16 * 1024)	/* the module has some 2,000 */
#define STEP_BITS	16

static struct {
	int fd;
	uint64_t *area;
} kcov[FUZZ_THREADS];
static uint64_t pcs[PCS];
static unsigned int pc_count;
static uint8_t steps[1 << STEP_BITS];

/**
 * fuzz_cover_init() - open KCOV for every thread
 *
 * Return: whether the kernel has it.
 */
bool fuzz_cover_init(void)
{
	unsigned int i;

	for (i = 0; i < FUZZ_THREADS; i++) {
		kcov[i].fd = open("/sys/kernel/debug/kcov", O_RDWR | O_CLOEXEC);
		if (kcov[i].fd < 0 || ioctl(kcov[i].fd, KCOV_INIT_TRACE, WORDS))
			return false;
		kcov[i].area = mmap(NULL, WORDS * sizeof(uint64_t), PROT_READ | PROT_WRITE,
				    MAP_SHARED, kcov[i].fd, 0);
		if (kcov[i].area == MAP_FAILED)
			return false;
		/* The kernel writes there by itself. */
		madvise(kcov[i].area, WORDS * sizeof(uint64_t), MADV_DONTFORK);
	}
	return true;
}

/**
 * fuzz_cover_begin() - from now on write down what the calling thread does
 * @thread: its number
 * @comparisons: operands of comparisons, and not where it comes by
 */
void fuzz_cover_begin(unsigned int thread, bool comparisons)
{
	if (kcov[thread].area)
		ioctl(kcov[thread].fd, KCOV_ENABLE,
		      comparisons ? KCOV_TRACE_CMP : KCOV_TRACE_PC);
}

/**
 * fuzz_cover_end() - no more of that
 * @thread: its number
 */
void fuzz_cover_end(unsigned int thread)
{
	if (kcov[thread].area)
		ioctl(kcov[thread].fd, KCOV_DISABLE, 0);
}

static bool new_pc(uint64_t pc, bool keep)
{
	unsigned int at = pc * 0x9e3779b97f4a7c15ULL >> 50;

	while (pcs[at % PCS]) {
		if (pcs[at % PCS] == pc)
			return false;
		at++;
	}
	if (keep && pc_count < PCS / 2) {
		pcs[at % PCS] = pc;
		pc_count++;
	}
	return true;
}

static bool new_step(uint64_t hash, bool keep)
{
	uint16_t at = hash * 0x9e3779b97f4a7c15ULL >> (64 - STEP_BITS);

	if (steps[at])
		return false;
	steps[at] = keep;
	return true;
}

/**
 * fuzz_cover_new() - take what was written down
 * @program: the program that has run
 * @shared: what it told
 * @keep: whether it is old from now on
 *
 * What a call returns counts as a step as well.
 *
 * Return: how much there is that was not there before: a PC is worth 1000.
 */
unsigned int fuzz_cover_new(const struct fuzz_program *program,
			    const struct fuzz_shared *shared, bool keep)
{
	unsigned int i, found = 0;
	uint64_t j;

	for (i = 0; i < FUZZ_THREADS; i++) {
		uint64_t *area = kcov[i].area, last = 0, count;

		if (!area)
			continue;
		count = __atomic_load_n(area, __ATOMIC_RELAXED);
		if (count > WORDS - 1)
			count = WORDS - 1;
		for (j = 1; j <= count; j++) {
			if (new_step(last * 31 ^ area[j], keep))
				found += 1 + 1000 * new_pc(area[j], keep);
			last = area[j];
		}
		area[0] = 0;
	}
	for (i = 0; i < program->count; i++)
		if (shared->result[i] <= 0)
			found += new_step((uint64_t)program->call[i].type << 32 |
					  (uint32_t)shared->result[i], keep);
	return found;
}

/**
 * fuzz_cover_hints() - take the comparisons that were written down
 */
void fuzz_cover_hints(void)
{
	unsigned int i;
	uint64_t j;

	for (i = 0; i < FUZZ_THREADS; i++) {
		uint64_t *area = kcov[i].area;

		if (!area)
			continue;
		/* Four words each: kind, both operands, PC. */
		for (j = 0; j < area[0] && 4 * j + 4 < WORDS; j++) {
			fuzz_hint(area[4 * j + 2], area[4 * j + 3]);
			if (!(area[4 * j + 1] & KCOV_CMP_CONST))
				fuzz_hint(area[4 * j + 3], area[4 * j + 2]);
		}
		area[0] = 0;
	}
}

/**
 * fuzz_cover_pcs() - how many PCs were reached
 *
 * Return: the number.
 */
unsigned int fuzz_cover_pcs(void)
{
	return pc_count;
}

/* Where a section of the module is; 0 where it is not. */
static uint64_t section(const char *name)
{
	char path[128], text[64];

	snprintf(path, sizeof(path), "/sys/module/privheap/sections/%s", name);
	return ph_read_file(path, text, sizeof(text)) > 0 ? strtoull(text, NULL, 16) : 0;
}

/**
 * fuzz_cover_print() - print the PCs, as offsets into sections of the module
 */
void fuzz_cover_print(void)
{
	static const char *const names[] = {
		".text", ".text.unlikely", ".ref.text", ".exit.text", ".init.text",
	};
	unsigned int i, j;

	for (i = 0; i < PCS; i++) {
		const char *best = NULL;
		uint64_t base = 0;

		if (!pcs[i])
			continue;
		for (j = 0; j < sizeof(names) / sizeof(*names); j++) {
			uint64_t start = section(names[j]);

			if (start && start <= pcs[i] && start > base) {
				base = start;
				best = names[j];
			}
		}
		if (best)
			printf("@pc %s %#llx\n", best,
			       (unsigned long long)(pcs[i] - base));
	}
}

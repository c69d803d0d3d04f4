// SPDX-License-Identifier: GPL-2.0-only
/* The steps of the churn, made beforehand so that no loop counts the making. */
#include "heap_bench.h"

#define STEPS		(1UL << 19)

static uint64_t random_state;

/* xorshift64 with the shifts 13, 7, 17. */
static uint64_t next_random(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

/* Uniform below a limit, of the upper bits; the bias is below 2^-16. */
static uint32_t below(uint32_t limit)
{
	return (next_random() >> 32) * limit >> 32;
}

/*
 * 2 to the power of 4 to 16: the whole part of the exponent uniform, and within
 * one doubling the density falls with the size. The inverse, 2^f, comes from
 * halvings of a square: f's bits from the top, each a factor of 2^(1/2^k).
 */
static uint32_t wide_size(void)
{
	static const uint32_t factor[] = {	/* 2^(1/2), 2^(1/4), ... in 2^-16 */
		92682, 77936, 71468, 68438, 66971, 66250, 65892, 65714,
	};
	uint64_t size = 1UL << 16;
	uint32_t bits = next_random() >> 32;
	unsigned int i;

	for (i = 0; i < sizeof(factor) / sizeof(factor[0]); i++)
		if (bits >> (31 - i) & 1)
			size = size * factor[i] >> 16;
	return (size << (4 + below(12))) >> 16;
}

static uint32_t random_size(enum churn_sizes sizes)
{
	switch (sizes) {
	case CHURN_UNIFORM:
		return 16 + below(1024 - 16 + 1);
	case CHURN_SMALL:
		/* 16 divided by what is uniform between 1/64 and 1. */
		return (16 << 20) / ((1 << 14) + below((1 << 20) - (1 << 14) + 1));
	default:
		return wide_size();
	}
}

struct churn_step churn_next(const struct churn *churn)
{
	struct churn_step step;

	step.slot = below(churn->slots);
	step.size = random_size(churn->sizes);
	return step;
}

void churn_prepare(struct churn *churn, unsigned int slots,
		   enum churn_sizes sizes)
{
	unsigned long i;

	random_state = 88172645463325252UL;
	churn->slots = slots;
	churn->sizes = sizes;
	churn->steps = STEPS;
	churn->step = bench_array(STEPS * sizeof(*churn->step));
	churn->block = bench_array(slots * sizeof(*churn->block));
	churn->size = bench_array(slots * sizeof(*churn->size));
	for (i = 0; i < slots; i++)
		churn->size[i] = random_size(sizes);
	for (i = 0; i < STEPS; i++)
		churn->step[i] = churn_next(churn);
}

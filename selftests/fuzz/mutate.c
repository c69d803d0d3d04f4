// SPDX-License-Identifier: GPL-2.0-only
/* Making programs, and others of them. */
#include <string.h>

#include "fuzz.h"

#define HINTS	512

static uint64_t state = 1;
static struct {
	uint64_t have;
	uint64_t wanted;
} hints[HINTS];
static unsigned int hint_count;

/**
 * fuzz_seed() - begin a sequence of random numbers
 * @seed: which
 */
void fuzz_seed(uint64_t seed)
{
	state = seed * 0x9e3779b97f4a7c15ULL | 1;
}

/**
 * fuzz_random() - a random number, the same ones for the same seed
 * @most: the largest
 *
 * Return: 0 to @most.
 */
uint64_t fuzz_random(uint64_t most)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return most == UINT64_MAX ? state : (state >> 11) % (most + 1);
}

/**
 * fuzz_hint() - remember what the module has compared
 * @have: an operand that may come from a program
 * @wanted: the other
 */
void fuzz_hint(uint64_t have, uint64_t wanted)
{
	unsigned int at = hint_count < HINTS ? hint_count : fuzz_random(HINTS - 1);
	unsigned int i;

	if (have == wanted)
		return;
	for (i = 0; i < hint_count; i++)
		if (hints[i].have == have && hints[i].wanted == wanted)
			return;
	hints[at].have = have;
	hints[at].wanted = wanted;
	if (hint_count < HINTS)
		hint_count++;
}

static bool one_in(unsigned int n)
{
	return !fuzz_random(n - 1);
}

static uint64_t random_pages(void)
{
	static const uint16_t pages[] = {
		0, 1, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 64, 127, 255,
		256, 511, 512, 513, 1023, 1024, 1025, 2048,
	};
	static const uint64_t odd[] = {
		UINT64_MAX, UINT64_MAX & -PAGE, 1ULL << 63, 1ULL << 47, 1ULL << 46,
		(1ULL << 47) - PAGE, 1ULL << 32, GIB, 64 * GIB, 64 * MIB, INT64_MAX,
		INT64_MAX & -PAGE, 1, 7, 0xfff,
	};
	uint64_t value = pages[fuzz_random(sizeof(pages) / sizeof(*pages) - 1)] * PAGE;

	if (one_in(16))
		return odd[fuzz_random(sizeof(odd) / sizeof(*odd) - 1)];
	if (one_in(24))
		return value + 1 + fuzz_random(PAGE - 2);
	if (one_in(3))
		return fuzz_random(64) * PAGE;
	return value;
}

/* The slot of a region that the program has made before. */
static uint8_t random_slot(const struct fuzz_program *program, unsigned int before)
{
	unsigned int i, start = before ? fuzz_random(before - 1) : 0;

	for (i = 0; i < before; i++) {
		const struct fuzz_call *call = &program->call[(start + i) % before];

		if (fuzz_calls[call->type].run == run_create)
			return call->arg[3].number % FUZZ_SLOTS;
	}
	return fuzz_random(FUZZ_SLOTS - 1);
}

/* A value for an argument of call number @at, mostly one that makes sense. */
static struct fuzz_value random_value(const struct fuzz_program *program, unsigned int at,
				      const struct fuzz_arg *arg)
{
	struct fuzz_value value = { .kind = VALUE_NUMBER };
	uint8_t slot = one_in(16) ? fuzz_random(FUZZ_SLOTS - 1) : random_slot(program, at);

	switch (arg->kind) {
	case ARG_SIZE:
		if (one_in(12))
			value.number = one_in(2) ? fuzz_random(2 * arg->most) :
				       arg->most + 8 * fuzz_random(8);
		if (one_in(200))
			value.number = PAGE - 1 + fuzz_random(2);
		break;
	case ARG_FLAGS:
		value.number = fuzz_random(arg->most) & arg->most;
		if (one_in(3))
			value.number = 1ULL << fuzz_random(63) & arg->most;
		if (one_in(40))
			value.number |= 1ULL << fuzz_random(63);
		break;
	case ARG_ENUM:
		value.number = fuzz_random(arg->most);
		if (one_in(60))
			value.number = one_in(2) ? arg->most + 1 : fuzz_random(UINT64_MAX);
		break;
	case ARG_LIMIT:
		value.number = one_in(6) ? PRIVHEAP_NO_LIMIT : random_pages();
		break;
	case ARG_PAGES:
		value.number = random_pages();
		break;
	case ARG_BASE:
		if (one_in(16))
			break;
		value.kind = VALUE_BASE;
		value.slot = slot;
		if (one_in(24))
			value.number = one_in(2) ? PAGE : -PAGE;
		break;
	case ARG_ADDRESS:
		value.kind = VALUE_BASE;
		value.slot = slot;
		value.number = fuzz_random(63) * PAGE * (one_in(3) ? 16 : 1);
		if (one_in(3))
			value.number = 0;
		if (one_in(8))
			value.number += fuzz_random(PAGE - 1);
		if (one_in(24))
			value.number = -PAGE;
		break;
	case ARG_AT:
		if (!one_in(8))
			break;
		if (one_in(2)) {
			value.number = fuzz_random(PLACES - 1);
			break;
		}
		value.kind = VALUE_BASE;
		value.slot = slot;
		value.number = fuzz_random(16) * PAGE - (one_in(2) ? 16 : 0);
		break;
	case ARG_SLOT:
		value.number = fuzz_random(FUZZ_SLOTS - 1);
		break;
	case ARG_FD:
		value.number = one_in(8) ? fuzz_random(arg->most) : 0;
		break;
	case ARG_COUNT:
		value.number = one_in(2) ? 0 : 1 + fuzz_random(arg->most);
		if (one_in(40))
			value.number = fuzz_random(UINT64_MAX);
		break;
	case ARG_ID:
		value.kind = VALUE_ID;
		value.slot = slot;
		if (one_in(16))
			value.number = one_in(2) ? 1 : fuzz_random(UINT64_MAX);
		break;
	case ARG_SUBJECT:
		value.kind = fuzz_random(VALUE_KINDS - 1);
		value.slot = slot;
		if (value.kind == VALUE_BASE || one_in(24))
			value.kind = VALUE_NUMBER;
		if (value.kind == VALUE_NUMBER && one_in(3))
			value.number = one_in(2) ? 1 : fuzz_random(UINT64_MAX);
		break;
	case ARG_ZERO:
		if (one_in(40))
			value.number = 1ULL << fuzz_random(63);
		break;
	case ARG_RANDOM:
		value.number = fuzz_random(UINT64_MAX);
		break;
	}
	return value;
}

static uint8_t random_type(void)
{
	static unsigned int sum;
	unsigned int i, at;

	if (!sum)
		for (i = 0; i < fuzz_call_count; i++)
			sum += fuzz_calls[i].weight;
	at = fuzz_random(sum - 1);
	for (i = 0; at >= fuzz_calls[i].weight; i++)
		at -= fuzz_calls[i].weight;
	return i;
}

/* The attributes that belong to a request, and a level with its subject. */
static void mend_netlink(const struct fuzz_program *program, unsigned int at,
			 struct fuzz_call *call)
{
	struct fuzz_value *arg = call->arg;
	uint64_t setting = 1 << PRIVHEAP_A_COUNTER_SOFT | 1 << PRIVHEAP_A_COUNTER_HARD |
			   1 << PRIVHEAP_A_COUNTER_RESERVE | 1 << PRIVHEAP_A_COUNTER_FAIL_NTH;
	uint8_t level = 1 + fuzz_random(PRIVHEAP_LEVEL_SYSTEM - 1);
	static const uint8_t kinds[] = {
		[PRIVHEAP_LEVEL_REGION] = VALUE_ID,
		[PRIVHEAP_LEVEL_PROCESS] = VALUE_PID,
		[PRIVHEAP_LEVEL_USER] = VALUE_NUMBER,
		[PRIVHEAP_LEVEL_CGROUP] = VALUE_CGROUP,
		[PRIVHEAP_LEVEL_SYSTEM] = VALUE_NUMBER,
	};
	uint64_t some = fuzz_random(3);

	arg[14].number = one_in(5) ? arg[14].number : 0;
	arg[4].number = level;
	arg[5].kind = kinds[level];
	arg[5].slot = random_slot(program, at);
	arg[5].number = 0;
	switch (fuzz_random(2)) {
	case 0:
		arg[0].number = PRIVHEAP_CMD_REGION_GET;
		arg[2].number = 1 << PRIVHEAP_A_REGION_ID | (some & 1) << PRIVHEAP_A_CELLS;
		if (arg[1].number)
			arg[2].number = (some & 1) << PRIVHEAP_A_PID |
					(some >> 1) << PRIVHEAP_A_CGROUP |
					(uint64_t)one_in(3) << PRIVHEAP_A_UID;
		break;
	case 1:
		arg[0].number = PRIVHEAP_CMD_QUOTA_GET;
		arg[2].number = 1 << PRIVHEAP_A_LEVEL | 1 << PRIVHEAP_A_SUBJECT;
		if (arg[1].number)
			arg[2].number = (some & 1) << PRIVHEAP_A_LEVEL;
		break;
	default:
		arg[0].number = PRIVHEAP_CMD_QUOTA_SET;
		arg[1].number = 0;
		arg[2].number = 1 << PRIVHEAP_A_LEVEL | 1 << PRIVHEAP_A_SUBJECT |
				(some & 1) << PRIVHEAP_A_RESIDENT |
				(some != 1) << PRIVHEAP_A_COMMIT;
		arg[8].number &= setting;
		arg[9].number &= setting;
		break;
	}
}

static void generate_call(struct fuzz_program *program, unsigned int at, uint8_t type,
			  unsigned int threads)
{
	struct fuzz_call *call = &program->call[at];
	unsigned int i;

	memset(call, 0, sizeof(*call));
	call->type = type;
	call->thread = fuzz_random(threads - 1);
	for (i = 0; i < FUZZ_ARGS && fuzz_calls[type].args[i].name; i++)
		call->arg[i] = random_value(program, at, &fuzz_calls[type].args[i]);
	if (fuzz_calls[type].run == run_netlink && !one_in(6))
		mend_netlink(program, at, call);
}

/**
 * fuzz_generate() - make a program
 * @program: result
 * @threads: how many it may have
 */
void fuzz_generate(struct fuzz_program *program, unsigned int threads)
{
	static const uint64_t reserves[] = { 1, 2, 16, 64, 512, 513, 1024, 4096 };
	unsigned int count = 2 + fuzz_random(13);

	memset(program, 0, sizeof(*program));
	for (program->count = 0; program->count < count; program->count++) {
		unsigned int at = program->count;
		struct fuzz_call *call = &program->call[at];

		generate_call(program, at, at ? random_type() : 0, threads);
		if (at || one_in(10))
			continue;
		/* A region to begin with. */
		call->thread = 0;
		call->arg[0].number = 0;
		call->arg[1] = (struct fuzz_value){ 0 };
		call->arg[2].number = 0;
		call->arg[5].number = reserves[fuzz_random(7)] * PAGE;
		call->arg[6].number = fuzz_random(call->arg[5].number / PAGE) * PAGE;
		call->arg[7].number = 0;
		call->arg[8].number = 0;
	}
}

/**
 * fuzz_drop_call() - take a call out of a program
 * @program: the program
 * @index: the call
 */
void fuzz_drop_call(struct fuzz_program *program, unsigned int index)
{
	program->count--;
	memmove(&program->call[index], &program->call[index + 1],
		(program->count - index) * sizeof(*program->call));
}

static void insert(struct fuzz_program *program, unsigned int at)
{
	if (program->count == FUZZ_CALLS)
		fuzz_drop_call(program, fuzz_random(FUZZ_CALLS - 1));
	if (at > program->count)
		at = program->count;
	memmove(&program->call[at + 1], &program->call[at],
		(program->count - at) * sizeof(*program->call));
	program->count++;
}

static void change_value(struct fuzz_program *program, unsigned int at)
{
	struct fuzz_call *call = &program->call[at];
	const struct fuzz_call_type *type = &fuzz_calls[call->type];
	unsigned int count = 0, index, i;
	struct fuzz_value *value;

	while (count < FUZZ_ARGS && type->args[count].name)
		count++;
	index = fuzz_random(count - 1);
	value = &call->arg[index];
	if (one_in(4)) {
		for (i = 0; i < hint_count; i++) {
			unsigned int hint = fuzz_random(hint_count - 1);

			if (value->kind == VALUE_NUMBER && hints[hint].have == value->number) {
				value->number = hints[hint].wanted;
				return;
			}
		}
	}
	if (one_in(4) && type->args[index].kind >= ARG_PAGES) {
		static const int64_t steps[] = { 1, -1, 8, -8, 4096, -4096, 65536, -65536 };

		value->number += steps[fuzz_random(7)];
		return;
	}
	*value = random_value(program, at, &type->args[index]);
}

static void splice(struct fuzz_program *program, const struct fuzz_program *other)
{
	unsigned int at = fuzz_random(program->count), i;
	unsigned int from = fuzz_random(other->count - 1);

	for (i = from; i < other->count && at < FUZZ_CALLS; i++, at++)
		program->call[at] = other->call[i];
	if (at > program->count)
		program->count = at;
}

/**
 * fuzz_mutate() - make another program of one
 * @program: the program, which is changed
 * @other: one to take parts of
 * @threads: how many it may have
 */
void fuzz_mutate(struct fuzz_program *program, const struct fuzz_program *other,
		 unsigned int threads)
{
	unsigned int rounds = 1 + fuzz_random(3), at;

	while (rounds--) {
		at = fuzz_random(program->count - 1);
		switch (fuzz_random(9)) {
		case 0:
			if (program->count > 1)
				fuzz_drop_call(program, at);
			break;
		case 1: case 2: case 3:
			at = fuzz_random(program->count);
			insert(program, at);
			if (at >= program->count)
				at = program->count - 1;
			generate_call(program, at, random_type(), threads);
			break;
		case 4:
			insert(program, at + 1);
			if (at + 1 < program->count)
				program->call[at + 1] = program->call[at];
			break;
		case 5:
			splice(program, other);
			break;
		case 6:
			program->call[at].thread = fuzz_random(threads - 1);
			break;
		default:
			change_value(program, at);
		}
	}
}

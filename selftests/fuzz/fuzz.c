// SPDX-License-Identifier: GPL-2.0-only
/*
 * A fuzzer of the module, guided by KCOV: see fuzz --help.
 *
 * Every program is printed before it runs, so that the last line of a guest that
 * died tells what killed it. Lines that begin with @ are for ./run.
 */
#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <time.h>
#include <unistd.h>

#include "fuzz.h"

#define MOST_KEPT	4096
#define MOST_FINDINGS	20

static struct fuzz_program *kept[MOST_KEPT];
static unsigned int kept_count, loaded, runs, findings;
static unsigned long calls;
static bool quiet, first_only, ended;

static const char usage[] =
	"usage: fuzz [OPTION]...\n"
	"Runs programs of calls against the module, and tells what must not be.\n"
	"\n"
	"  --seed N        of the random numbers (default: 1)\n"
	"  --seconds N     how long to make programs (default: 60; 0: not at all)\n"
	"  --programs N    and at most how many\n"
	"  --threads N     1 to 3 of a program (default: 3)\n"
	"  --corpus DIR    run what is there first, and make others of it\n"
	"  --replay FILE   run this program only; may be given many times\n"
	"  --repeat N      run each program of --replay so often (default: 1)\n"
	"  --first         end at the first finding\n"
	"  --blind         make programs also where there is no KCOV\n"
	"  --pcs           print the PCs reached at the end\n"
	"  --quiet         do not print every program\n"
	"\n"
	"Status: 0 if all was well, 1 if something was found, 2 for a wrong program or\n"
	"option, 4 where there is no module or no KCOV (--replay needs none).\n";

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000ULL + now.tv_nsec / 1000000;
}

static void print_line(const char *tag, const struct fuzz_program *program)
{
	static char text[FUZZ_TEXT];

	fuzz_print(program, text, sizeof(text), ';');
	printf("%s %s\n", tag, text);
	fflush(stdout);
}

/*
 * Run a program and look at the books. Whether all is well; @found is how much that
 * is new it has reached, which is old from now on where @keep says so.
 */
static bool run_program(const struct fuzz_program *program, bool comparisons,
			unsigned int *found, bool keep)
{
	struct fuzz_run run;
	char broken[256], after[256];
	bool quotas_set, clean;

	if (!quiet)
		print_line("@run", program);
	fuzz_execute(program, comparisons, &run);
	runs++;
	calls += run.shared->calls;
	quotas_set = run.shared->quotas_set;
	*found = comparisons ? 0 : fuzz_cover_new(program, run.shared, keep);
	if (run.hung)
		snprintf(broken, sizeof(broken), "a process that cannot be killed");
	else if (run.shared->broken[0])
		snprintf(broken, sizeof(broken), "%s", run.shared->broken);
	else
		broken[0] = '\0';
	clean = fuzz_books_check(after, sizeof(after), quotas_set);
	if (!broken[0] && clean)
		return true;
	findings++;
	/* Of what is left every other program would be blamed as well. */
	if (first_only || !clean || findings == MOST_FINDINGS)
		ended = true;
	printf("@found %s\n", broken[0] ? broken : after);
	print_line("@by", program);
	return false;
}

/* Run it, and see what it reaches that was not reached before. */
static unsigned int run_for_new(const struct fuzz_program *program, bool keep)
{
	unsigned int found;

	if (run_program(program, false, &found, keep))
		return found;
	return 0;
}

static bool is_alone(const struct fuzz_program *program)
{
	unsigned int i;

	for (i = 0; i < program->count; i++)
		if (program->call[i].thread)
			return false;
	return true;
}

/* Leave out the calls without which there is as much that is new. */
static void minimise(struct fuzz_program *program, unsigned int found)
{
	struct fuzz_program shorter;
	unsigned int i = program->count;

	while (i-- && program->count > 1 && !ended) {
		shorter = *program;
		fuzz_drop_call(&shorter, i);
		if (run_for_new(&shorter, false) >= found)
			*program = shorter;
	}
}

static void keep(const struct fuzz_program *program)
{
	struct fuzz_program *copy;

	if (kept_count == MOST_KEPT)
		return;
	copy = malloc(sizeof(*copy));
	if (!copy)
		return;
	*copy = *program;
	kept[kept_count++] = copy;
}

/* A program that was made: is it worth keeping? */
static void try_program(struct fuzz_program *program)
{
	unsigned int found = run_for_new(program, false);

	if (!found || ended)
		return;
	/* What only happens sometimes, or is only another order, stays long. */
	if (found >= 1000 && is_alone(program))
		minimise(program, found);
	run_for_new(program, true);
	keep(program);
	print_line("@new", program);
	if (is_alone(program)) {
		run_program(program, true, &found, false);
		fuzz_cover_hints();
	}
}

static void load_corpus(const char *path)
{
	struct dirent **names;
	int count = scandir(path, &names, NULL, alphasort), i;
	struct fuzz_program program;
	char name[512];

	if (count < 0) {
		fprintf(stderr, "fuzz: no corpus in %s\n", path);
		exit(2);
	}
	for (i = 0; i < count && !ended; i++) {
		if (names[i]->d_name[0] == '.')
			continue;
		snprintf(name, sizeof(name), "%s/%s", path, names[i]->d_name);
		if (!fuzz_load(&program, name))
			exit(2);
		loaded++;
		if (run_for_new(&program, true) || !fuzz_cover_pcs())
			keep(&program);
		else
			printf("@old %s\n", names[i]->d_name);
	}
}

static void make_programs(unsigned int seconds, unsigned long most, unsigned int threads)
{
	uint64_t end = now_ms() + seconds * 1000ULL, next = now_ms() + 30000;
	struct fuzz_program program;

	while (most-- && now_ms() < end && !ended) {
		if (!kept_count || !fuzz_random(4)) {
			fuzz_generate(&program, fuzz_random(1) ? 1 : threads);
		} else {
			program = *kept[fuzz_random(kept_count - 1)];
			fuzz_mutate(&program, kept[fuzz_random(kept_count - 1)],
				    is_alone(&program) && fuzz_random(7) ? 1 : threads);
		}
		try_program(&program);
		if (now_ms() >= next) {
			printf("@at %u programs, %lu calls, %u kept, %u PCs\n", runs, calls,
			       kept_count, fuzz_cover_pcs());
			next += 30000;
		}
	}
}

static bool replay(const char *path, unsigned int times)
{
	struct fuzz_program program;
	unsigned int found;
	bool fine = true;

	if (!fuzz_load(&program, path))
		exit(2);
	while (times-- && fine)
		fine = run_program(&program, false, &found, true);
	return fine;
}

/* The same addresses every time. */
static void fix_addresses(char **argv)
{
	int now = personality(0xffffffff);

	if (now != -1 && !(now & ADDR_NO_RANDOMIZE) &&
	    personality(now | ADDR_NO_RANDOMIZE) != -1)
		execv("/proc/self/exe", argv);
}

struct options {
	unsigned long seed;
	unsigned long seconds;
	unsigned long most;
	unsigned long threads;
	unsigned long repeat;
	const char *corpus;
	const char *replays[64];
	unsigned int replay_count;
	bool pcs;
	bool blind;
};

enum {
	SEED = 1, SECONDS, PROGRAMS, THREADS, CORPUS, REPLAY, REPEAT, PCS, QUIET, BLIND,
	FIRST, NOTHING,
};

static void take_option(struct options *options, int option)
{
	switch (option) {
	case SEED:
		options->seed = strtoul(optarg, NULL, 0);
		break;
	case SECONDS:
		options->seconds = strtoul(optarg, NULL, 0);
		break;
	case PROGRAMS:
		options->most = strtoul(optarg, NULL, 0);
		break;
	case THREADS:
		options->threads = strtoul(optarg, NULL, 0);
		break;
	case CORPUS:
		options->corpus = optarg;
		break;
	case REPLAY:
		if (options->replay_count < 64)
			options->replays[options->replay_count++] = optarg;
		break;
	case REPEAT:
		options->repeat = strtoul(optarg, NULL, 0);
		break;
	case PCS:
		options->pcs = true;
		break;
	case QUIET:
		quiet = true;
		break;
	case BLIND:
		options->blind = true;
		break;
	case FIRST:
		first_only = true;
		break;
	case NOTHING:
		/* What a program of a program begins, to be another one. */
		exit(0);
	case 'h':
		fputs(usage, stdout);
		exit(0);
	default:
		fputs(usage, stderr);
		exit(2);
	}
}

static void take_options(struct options *options, int argc, char **argv)
{
	static const struct option names[] = {
		{ "seed", 1, NULL, SEED }, { "seconds", 1, NULL, SECONDS },
		{ "programs", 1, NULL, PROGRAMS }, { "threads", 1, NULL, THREADS },
		{ "corpus", 1, NULL, CORPUS }, { "replay", 1, NULL, REPLAY },
		{ "repeat", 1, NULL, REPEAT }, { "pcs", 0, NULL, PCS },
		{ "quiet", 0, NULL, QUIET }, { "blind", 0, NULL, BLIND },
		{ "first", 0, NULL, FIRST }, { "nothing", 0, NULL, NOTHING },
		{ "help", 0, NULL, 'h' }, { }
	};
	int option;

	while ((option = getopt_long(argc, argv, "h", names, NULL)) != -1)
		take_option(options, option);
	if (options->threads < 1 || options->threads > FUZZ_THREADS || optind < argc)
		take_option(options, '?');
}

int main(int argc, char **argv)
{
	struct options options = {
		.seed = 1, .seconds = 60, .most = ~0UL, .threads = FUZZ_THREADS, .repeat = 1,
	};
	uint64_t started;
	unsigned int i;

	take_options(&options, argc, argv);
	fix_addresses(argv);
	fuzz_books_init();
	fuzz_execute_init();
	if (!fuzz_cover_init() && !options.blind && !options.replay_count && options.seconds) {
		fprintf(stderr, "fuzz: no KCOV here\n");
		return 4;
	}
	fuzz_seed(options.seed);
	started = now_ms();
	for (i = 0; i < options.replay_count; i++)
		replay(options.replays[i], options.repeat);
	if (options.corpus)
		load_corpus(options.corpus);
	if (!options.replay_count)
		make_programs(options.seconds, options.most, options.threads);
	if (options.pcs)
		fuzz_cover_print();
	printf("@end %u programs in %llu ms, %lu calls, %u loaded, %u kept, %u PCs, %u findings\n",
	       runs, (unsigned long long)(now_ms() - started), calls, loaded, kept_count,
	       fuzz_cover_pcs(), findings);
	return findings ? 1 : 0;
}

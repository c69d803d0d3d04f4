// SPDX-License-Identifier: MIT
/*
 * A server with a heap for each request. It counts the words of what a client
 * sends over a socket, and answers with those that are most frequent. Whatever it
 * allocates for a request is in the request's own heap, and is never freed piece
 * by piece: the heap is destroyed as a whole, however the request ended. The heap
 * is fixed, so that a request that wants too much is refused, and no other.
 *
 *   requests SOCKET	serves at that path until SIGTERM or SIGINT
 *   requests		starts clients of its own and checks their answers
 *
 * It ends with 1 when something does not hold.
 */
#include <ctype.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <privheap/heapapi.h>
#include <privheap/region.h>

#define KIB		((SIZE_T)1024)
#define REQUEST_MAX	(256 * KIB)

#define WORKERS		4
#define CLIENTS		8
#define ROUNDS		25
#define BUCKETS		256
#define WORD_MAX	48
#define SHOWN		3

struct word {
	struct word *next;
	unsigned long count;
	char text[];
};

/**
 * struct request - what a client has sent
 * @heap: has all that the pointers below lead to
 * @table: words by their hash
 * @words: how many there were
 * @different: how many different ones
 */
struct request {
	HANDLE heap;
	struct word **table;
	unsigned long words;
	unsigned long different;
};

static int listening = -1;
static atomic_ulong served, refused, peak;

/* --- a request */

static struct word **find(struct request *request, const char *text)
{
	unsigned int hash = 5381;
	struct word **place;
	const char *c;

	for (c = text; *c; c++)
		hash = hash * 33 + (unsigned char)*c;
	place = &request->table[hash % BUCKETS];
	while (*place && strcmp((*place)->text, text))
		place = &(*place)->next;
	return place;
}

static BOOL add(struct request *request, const char *text)
{
	struct word **place = find(request, text), *word = *place;

	if (!word) {
		word = HeapAlloc(request->heap, HEAP_ZERO_MEMORY,
				 sizeof(*word) + strlen(text) + 1);
		if (!word)
			return FALSE;
		strcpy(word->text, text);
		*place = word;
		request->different++;
	}
	word->count++;
	request->words++;
	return TRUE;
}

/* All that comes, to its end: FALSE if the heap had no room for it. */
static BOOL receive(struct request *request, int fd)
{
	char buffer[4096], text[WORD_MAX + 1];
	size_t length = 0;
	BOOL room = TRUE;
	ssize_t got, i;

	request->table = HeapAlloc(request->heap, HEAP_ZERO_MEMORY,
				   BUCKETS * sizeof(*request->table));
	if (!request->table)
		room = FALSE;
	for (;;) {
		got = read(fd, buffer, sizeof(buffer));
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		for (i = 0; room && i < got; i++) {
			if (isalnum((unsigned char)buffer[i])) {
				if (length < WORD_MAX)
					text[length++] = buffer[i];
			} else if (length) {
				text[length] = '\0';
				length = 0;
				room = add(request, text);
			}
		}
	}
	text[length] = '\0';
	return room && (!length || add(request, text));
}

static int by_count(const void *a, const void *b)
{
	const struct word *one = *(struct word *const *)a;
	const struct word *other = *(struct word *const *)b;

	if (one->count != other->count)
		return one->count < other->count ? 1 : -1;
	return strcmp(one->text, other->text);
}

/* The answer, in the heap too; NULL if there is no room. */
static char *compose(struct request *request)
{
	SIZE_T size = 80 + SHOWN * (WORD_MAX + 24), used;
	char *answer = HeapAlloc(request->heap, 0, size);
	struct word **sorted, *word;
	unsigned long i, n = 0;

	sorted = HeapAlloc(request->heap, 0,
			   request->different * sizeof(*sorted));
	if (!answer || !sorted)
		return NULL;
	for (i = 0; i < BUCKETS; i++)
		for (word = request->table[i]; word; word = word->next)
			sorted[n++] = word;
	qsort(sorted, n, sizeof(*sorted), by_count);

	used = snprintf(answer, size, "%lu words, %lu different\n",
			request->words, request->different);
	for (i = 0; i < n && i < SHOWN; i++)
		used += snprintf(answer + used, size - used, "%lu %s\n",
				 sorted[i]->count, sorted[i]->text);
	return answer;
}

static void note_peak(HANDLE heap)
{
	PRIVHEAP_USAGE usage = { .cb = sizeof(usage) };
	unsigned long known = peak;

	if (PrivheapQueryHeap(heap, &usage))
		while (known < usage.cbCommitted &&
		       !atomic_compare_exchange_weak(&peak, &known,
						     usage.cbCommitted))
			;
}

static void serve(int fd)
{
	static const char sorry[] = "refused: it needs too much memory\n";
	struct request request = { .heap = NULL };
	const char *answer = NULL;

	/* One thread has it. */
	request.heap = HeapCreate(HEAP_NO_SERIALIZE, 0, REQUEST_MAX);
	if (request.heap && receive(&request, fd))
		answer = compose(&request);
	(*(answer ? &served : &refused))++;
	if (!answer)
		answer = sorry;
	if (send(fd, answer, strlen(answer), MSG_NOSIGNAL) < 0)
		perror("send");
	if (request.heap) {
		note_peak(request.heap);
		HeapDestroy(request.heap);
	}
}

static void *worker(void *unused)
{
	int fd;

	(void)unused;
	for (;;) {
		fd = accept(listening, NULL, NULL);
		if (fd < 0 && (errno == EINTR || errno == ECONNABORTED))
			continue;
		/* It was shut down. */
		if (fd < 0)
			return NULL;
		serve(fd);
		close(fd);
	}
}

/* --- a client that knows the answer */

static void say(int fd, const char *text)
{
	size_t length = strlen(text);
	ssize_t sent;

	while (length) {
		sent = send(fd, text, length, MSG_NOSIGNAL);
		if (sent <= 0)
			return;
		text += sent;
		length -= sent;
	}
}

/* More different words than have room, or a few often. */
static BOOL ask(const struct sockaddr_un *address, socklen_t length, BOOL greedy)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), i;
	char text[200] = "";
	size_t used = 0;
	ssize_t got;

	if (fd < 0)
		return FALSE;
	if (connect(fd, (const struct sockaddr *)address, length)) {
		close(fd);
		return FALSE;
	}
	for (i = 0; i < (greedy ? 20000 : 500); i++) {
		snprintf(text, sizeof(text), greedy ? "word%d\n" : "a heap, a w%d\n",
			 i);
		say(fd, text);
	}
	shutdown(fd, SHUT_WR);
	while (used < sizeof(text) - 1 &&
	       (got = read(fd, text + used, sizeof(text) - 1 - used)) > 0)
		used += got;
	text[used] = '\0';
	close(fd);
	return !strcmp(text, greedy ? "refused: it needs too much memory\n" :
		       "2000 words, 502 different\n1000 a\n500 heap\n1 w0\n");
}

struct client {
	pthread_t thread;
	const struct sockaddr_un *address;
	socklen_t length;
	BOOL greedy;
	unsigned int wrong;
};

static void *client(void *argument)
{
	struct client *me = argument;
	int i;

	for (i = 0; i < ROUNDS; i++)
		me->wrong += !ask(me->address, me->length, me->greedy);
	return NULL;
}

/* One of them wants too much each time. */
static BOOL run_clients(const struct sockaddr_un *address, socklen_t length)
{
	struct client clients[CLIENTS];
	unsigned int wrong = 0;
	int i;

	for (i = 0; i < CLIENTS; i++) {
		clients[i] = (struct client){
			.address = address, .length = length, .greedy = i == 3,
		};
		if (pthread_create(&clients[i].thread, NULL, client, &clients[i]))
			abort();
	}
	for (i = 0; i < CLIENTS; i++) {
		pthread_join(clients[i].thread, NULL);
		wrong += clients[i].wrong;
	}
	if (wrong)
		printf("FAILED: %u answers were wrong\n", wrong);
	return !wrong && refused == ROUNDS &&
	       served == (CLIENTS - 1) * ROUNDS;
}

int main(int argc, char **argv)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	socklen_t length = sizeof(address);
	struct privheap_region_info info;
	pthread_t workers[WORKERS];
	sigset_t signals;
	BOOL good = TRUE;
	int i, number;

	if (argc > 1 && strlen(argv[1]) >= sizeof(address.sun_path)) {
		fprintf(stderr, "too long for a socket: %s\n", argv[1]);
		return 1;
	}
	if (argc > 1)
		strcpy(address.sun_path, argv[1]);
	else
		/* The system chooses a name that is no file. */
		length = sizeof(address.sun_family);
	listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (listening < 0 ||
	    bind(listening, (struct sockaddr *)&address, length) ||
	    listen(listening, 64)) {
		perror("socket");
		return 1;
	}
	length = sizeof(address);
	getsockname(listening, (struct sockaddr *)&address, &length);

	/* Before there are threads, so that none of them gets these. */
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	pthread_sigmask(SIG_BLOCK, &signals, NULL);
	for (i = 0; i < WORKERS; i++)
		if (pthread_create(&workers[i], NULL, worker, NULL))
			abort();

	if (argc > 1)
		sigwait(&signals, &number);
	else
		good = run_clients(&address, length);

	shutdown(listening, SHUT_RDWR);
	for (i = 0; i < WORKERS; i++)
		pthread_join(workers[i], NULL);
	if (argc > 1)
		unlink(argv[1]);
	printf("%lu requests served, %lu refused, the largest had %lu of %lu KiB\n",
	       served, refused, peak / 1024, (unsigned long)(REQUEST_MAX / KIB));
	if (privheap_query_process(&info) || info.regions || info.committed ||
	    peak > REQUEST_MAX)
		good = FALSE;
	printf("%s\n", good ? "nothing is left of any of them" :
			      "FAILED: not as it should be");
	return !good;
}

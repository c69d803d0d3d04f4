// SPDX-License-Identifier: MIT
/*
 * The C library's list of open streams, while a process forks: see streams.h.
 *
 * fork(3) takes the list's lock after all handlers, and whoever has that lock may
 * allocate, and would wait for the heap's. So it is taken before that; its owner
 * may take it again.
 *
 * In the child of a process with threads fork(3) makes the locks of all streams
 * anew, before all handlers. Most streams are blocks of the heap, and on the module
 * these are not there yet. So it is given an empty list, and it is done here.
 */
#include <stdio.h>
#include <string.h>

#include "streams.h"
#include "../src/process.h"

/* What is exported for old C++ libraries; another C library may not have it. */
#pragma weak _IO_list_lock
#pragma weak _IO_list_unlock
#pragma weak _IO_list_resetlock
#pragma weak _IO_list_all
void _IO_list_lock(void);
void _IO_list_unlock(void);
void _IO_list_resetlock(void);
extern FILE *_IO_list_all;

/* A stream that has no lock of the C library's. */
#define USER_LOCK	0x8000

/* Of a stream, at its @_lock. */
struct stream_lock {
	int lock;
	int count;
	void *owner;
};

/* Under the list's lock. */
static FILE *hidden;
static bool hiding;
static bool threads;

void streams_hold(bool absent)
{
	if (!_IO_list_lock || !_IO_list_unlock || !_IO_list_resetlock)
		return;
	_IO_list_lock();
	threads = !process_alone();
	hiding = absent && &_IO_list_all;
	if (!hiding)
		return;
	hidden = _IO_list_all;
	_IO_list_all = NULL;
}

static void show(void)
{
	if (hiding)
		_IO_list_all = hidden;
	hidden = NULL;
}

void streams_release(void)
{
	show();
	if (_IO_list_unlock)
		_IO_list_unlock();
}

void streams_adopt(void)
{
	bool anew = hiding && threads;
	FILE *stream = hidden;

	show();
	for (; stream && anew; stream = stream->_chain)
		if (!(stream->_flags & USER_LOCK) && stream->_lock)
			memset(stream->_lock, 0, sizeof(struct stream_lock));
	if (_IO_list_resetlock)
		_IO_list_resetlock();
}

/* SPDX-License-Identifier: MIT */
/*
 * Lines on standard error without stdio, which takes locks and memory: these
 * may be written in a signal handler, and where malloc(3) is made of our heaps.
 */
#ifndef PRIVHEAP_SRC_MESSAGE_H
#define PRIVHEAP_SRC_MESSAGE_H

#include "common.h"

/**
 * struct message - a line in the making; starts as { .length = 0 }
 * @length: bytes of @text that are in use
 * @text: what does not fit is left out
 */
struct message {
	size_t length;
	char text[240];
};

void message_text(struct message *message, const char *text);

/* "0x" and at least @digits digits. */
void message_hex(struct message *message, uintptr_t number,
		 unsigned int digits);

void message_decimal(struct message *message, size_t number);

/* Adds "privheap: " before and an end of line after it. */
void message_write(const struct message *message);

#endif /* PRIVHEAP_SRC_MESSAGE_H */

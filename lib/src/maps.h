/* SPDX-License-Identifier: MIT */
/* What the kernel says is mapped in this process. */
#ifndef PRIVHEAP_SRC_MAPS_H
#define PRIVHEAP_SRC_MAPS_H

#include "common.h"

/**
 * struct mapping - what is at an address
 * @start: start of the mapping; of a file, that of the row of mappings of the
 *	same file that touch
 * @end: end of the mapping; where nothing is mapped, start of the next one, or
 *	UINTPTR_MAX if there is none
 * @mapped: anything is mapped there
 * @readable: PROT_READ
 * @writable: PROT_WRITE
 * @executable: PROT_EXEC
 * @private: writing changes nothing but this process's memory
 * @file: of a file, or of shared memory, which has one in the kernel
 * @image: some mapping of that row is executable
 * @region: a region of the module
 */
struct mapping {
	uintptr_t start;
	uintptr_t end;
	bool mapped;
	bool readable;
	bool writable;
	bool executable;
	bool private;
	bool file;
	bool image;
	bool region;
};

/* false: there is no /proc here */
bool maps_find(uintptr_t address, struct mapping *mapping);

#endif /* PRIVHEAP_SRC_MAPS_H */

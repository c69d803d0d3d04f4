/* SPDX-License-Identifier: GPL-2.0-only */
/* The smaller and the larger one. */
#ifndef PRIVHEAP_KERNEL_MINMAX_H
#define PRIVHEAP_KERNEL_MINMAX_H

#define min_t(type, x, y) ({		\
	type _x = (x);			\
	type _y = (y);			\
	_x < _y ? _x : _y;		\
})
#define min(x, y)	min_t(typeof(x), x, y)
#define max(x, y) ({			\
	typeof(x) _a = (x);		\
	typeof(y) _b = (y);		\
	_a > _b ? _a : _b;		\
})

#endif /* PRIVHEAP_KERNEL_MINMAX_H */

/* SPDX-License-Identifier: GPL-2.0-only */
/* The end of kmod/trace.h, which defines nothing here: see hooks.h. */

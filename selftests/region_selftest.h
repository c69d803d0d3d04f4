/* SPDX-License-Identifier: GPL-2.0-only */
/* How a call of privheap/region.h fails. */
#ifndef REGION_SELFTEST_H
#define REGION_SELFTEST_H

#define FAILS(error, call) do {			\
	errno = 0;				\
	EXPECT_EQ(-1, call);			\
	EXPECT_EQ(error, errno);		\
} while (0)

#define FAILS_NULL(error, call) do {		\
	errno = 0;				\
	EXPECT_EQ(NULL, call);			\
	EXPECT_EQ(error, errno);		\
} while (0)

#endif /* REGION_SELFTEST_H */

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's harness, for tests that do as much as they can: on an emulated
 * machine that checks every access they take longer than it would wait.
 */
#ifndef PATIENT_HARNESS_H
#define PATIENT_HARNESS_H

#include "kselftest_harness.h"

/* seconds; run-all has a limit of its own for a program */
#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT	300

#endif /* PATIENT_HARNESS_H */

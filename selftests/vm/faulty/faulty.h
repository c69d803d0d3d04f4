/* SPDX-License-Identifier: GPL-2.0-only */
/* The faults, by what should see them; each is called once, by an open(2). */
#ifndef FAULTY_H
#define FAULTY_H

/* memory.c: KASAN, kmemleak, UBSAN, checks of pages and of copies to users */
void use_after_free(void);
void write_beyond_slab(void);
void write_beyond_stack(void);
void write_beyond_global(void);
void write_beyond_vmalloc(void);
void free_twice(void);
void use_freed_page(void);
void put_page_twice(void);
void copy_too_much(void);
void leak(void);
void shift_too_far(void);
void index_too_far(void);
void load_no_bool(void);

/* locks.c: lockdep, RCU's checks, DEBUG_ATOMIC_SLEEP, the hung task's watch */
void invert_locks(void);
void lock_in_interrupt(void);
void unlock_unlocked(void);
void keep_lock(void);
void sleep_in_atomic(void);
void allocate_in_atomic(void);
void dereference_unprotected(void);
void hang(void);

/* life.c: lists, reference counts, what is freed while it is in use; KCSAN */
void add_twice(void);
void delete_twice(void);
void put_too_often(void);
void free_active_timer(void);
void free_active_work(void);
void race(void);

#endif /* FAULTY_H */

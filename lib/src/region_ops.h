/* SPDX-License-Identifier: MIT */
/*
 * What a back end of regions does. The structs are those of the ioctls, and so
 * is the meaning: the second back end answers as the module would.
 */
#ifndef PRIVHEAP_SRC_REGION_OPS_H
#define PRIVHEAP_SRC_REGION_OPS_H

#include <linux/privheap.h>
#include <privheap/backend.h>

/**
 * struct region_ops - one back end
 * @backend: its name
 * @open: find out whether the back end can work here
 * @create: PRIVHEAP_IOC_CREATE
 * @grow: PRIVHEAP_IOC_GROW
 * @commit: PRIVHEAP_IOC_COMMIT
 * @decommit: PRIVHEAP_IOC_DECOMMIT
 * @destroy: PRIVHEAP_IOC_DESTROY
 * @query: PRIVHEAP_IOC_QUERY
 * @notify: PRIVHEAP_IOC_NOTIFY
 * @limit: PRIVHEAP_IOC_LIMIT
 *
 * Every function returns 0 or -errno. The size member of every
 * struct is set, and reserved members are zero.
 */
struct region_ops {
	enum privheap_backend backend;
	int (*open)(void);
	int (*create)(struct privheap_create *arg);
	int (*grow)(struct privheap_grow *arg);
	int (*commit)(struct privheap_commit *arg);
	int (*decommit)(struct privheap_decommit *arg);
	int (*destroy)(struct privheap_destroy *arg);
	int (*query)(struct privheap_query *arg);
	int (*notify)(struct privheap_notify *arg);
	int (*limit)(struct privheap_limit *arg);
};

extern const struct region_ops region_module_ops;
extern const struct region_ops region_anonymous_ops;

#endif /* PRIVHEAP_SRC_REGION_OPS_H */

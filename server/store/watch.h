/*
 * Where workers publish their decisions to all watchers, at any bursard. Nothing is kept: what nobody hears is
 * lost. Callbacks run on the loop thread that made the call, never before the call has returned.
 */
#ifndef BURSAR_STORE_WATCH_H
#define BURSAR_STORE_WATCH_H

#include <stdbool.h>
#include <stddef.h>

struct watch_user {
	const char *tenant, *user;
};

struct watch_store;
struct watch_store_ops {
	/*
	 * Is anybody watching, and which users by name (any number, possibly with duplicates)? The list is valid until
	 * `looked` returns; false also when the store does not answer.
	 */
	void (*look)(struct watch_store *store,
		void (*looked)(bool watched, const struct watch_user *user, int users, void *arg), void *arg);
	/* Publishes to all listeners. `told`: how many there are; -1 when unknown: they may or may not have heard it. */
	void (*tell)(struct watch_store *store, const void *report, size_t len, void (*told)(int listeners, void *arg),
		void *arg);
	/*
	 * From now on, until `hush`, `heard` gets the reports; `listening` runs each time the subscription is
	 * (re)established; reports sent in between are lost.
	 */
	void (*listen)(struct watch_store *store, void (*heard)(const void *report, size_t len, void *arg),
		void (*listening)(void *arg), void *arg);
	void (*hush)(struct watch_store *store);
	/* While listening: announces that a user is watched by name; later, that they no longer are. */
	void (*mind)(struct watch_store *store, const struct watch_user *user);
	void (*forget)(struct watch_store *store, const struct watch_user *user);
};
struct watch_store {
	const struct watch_store_ops *ops;
};

#endif

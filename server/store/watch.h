/*
 * Where workers tell what they decide to those who watch, whichever bursard they are asked at. Nothing is kept: what nobody hears is
 * gone. Callbacks run on the loop thread that made the call, never before it returned.
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
	 * Does anybody watch, and which users by name (any number, also the same one twice)? The list is gone when `looked` returns;
	 * false also when the store does not answer.
	 */
	void (*look)(struct watch_store *store,
		void (*looked)(bool watched, const struct watch_user *user, int users, void *arg), void *arg);
	/* Tells all who listen. `told`: how many they are; -1 when that is not known, and then they may have heard it or not. */
	void (*tell)(struct watch_store *store, const void *report, size_t len, void (*told)(int listeners, void *arg),
		void *arg);
	/*
	 * From now on, until `hush`, reports come to `heard`; `listening` runs each time it stands anew that they do, and what was told
	 * in between is lost.
	 */
	void (*listen)(struct watch_store *store, void (*heard)(const void *report, size_t len, void *arg),
		void (*listening)(void *arg), void *arg);
	void (*hush)(struct watch_store *store);
	/* While listening: announces that a user is watched by name; later that he is not. */
	void (*mind)(struct watch_store *store, const struct watch_user *user);
	void (*forget)(struct watch_store *store, const struct watch_user *user);
};
struct watch_store {
	const struct watch_store_ops *ops;
};

#endif

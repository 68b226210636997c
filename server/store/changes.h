/*
 * Learns that accounts have changed in the store, whoever changed them, so that a worker may go on using a state that it
 * has seen (service/worker/denials.h).
 */
#ifndef BURSAR_STORE_CHANGES_H
#define BURSAR_STORE_CHANGES_H

#include <stdint.h>

#include "domain/limit/account.h"

/* Names an account in one number. */
uint64_t change_key(enum account_kind kind, const char *tenant, const char *id);

/*
 * How often the account has changed, as far as this process knows. Counters are shared by several accounts, so a number
 * that has risen may also mean another one. From any thread.
 */
uint32_t change_count(uint64_t key);
/* Begins to count, for all of this process. Until somebody needs the counters, they cost nothing. */
void changes_begin(void);
/* The account may have changed. Call it before anybody is told. */
void change_note(enum account_kind kind, const char *tenant, const char *id);

struct changes_account {
	enum account_kind kind;
	const char *tenant, *id;
};

struct changes_view {
	uint64_t
		session; /* 0: the store cannot be followed now; another number than before: changes may have been missed */
	uint64_t in_effect; /* the last ticket that the store has confirmed */
	int64_t heard_us; /* clock_mono_us: every earlier change of a followed account has been noted; 0 = none yet */
	int64_t time_us; /* the store's clock then, or a little later */
	int64_t ahead_us; /* clock_ahead_us then */
};

struct changes_store;
struct changes_store_ops {
	/*
	 * From the ticket's confirmation on, the next change of each account is noted (once: then follow again). Tickets
	 * rise. 0: not now; the store then tries to become able to.
	 */
	uint64_t (*follow)(struct changes_store *store, const struct changes_account *account, int count);
	/* What is known now. While it is called, the store keeps asking for signs of life. */
	void (*view)(struct changes_store *store, struct changes_view *out);
};
struct changes_store {
	const struct changes_store_ops *ops;
};

#endif

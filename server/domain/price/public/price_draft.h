/* Inside the readers of public price lists (price_public.h): a price that is put together from the fields of a list. */
#ifndef BURSAR_DOMAIN_PRICE_PUBLIC_PRICE_DRAFT_H
#define BURSAR_DOMAIN_PRICE_PUBLIC_PRICE_DRAFT_H

#include "domain/price/public/price_public.h"
#include "domain/price/public/price_tree.h"

struct list_reader {
	struct price_public *list;
	struct arena *arena;
	int64_t now_us;
	int room; /* of list->sheet */
	struct list_row *rows; /* beside those of the sheet */
	int models; /* read so far */
	bool first_wins; /* of models with the same name; else they must cost the same */
};
/* Where a row of the sheet comes from. */
struct list_row {
	int model; /* the number of its draft */
	bool other_name; /* which gives way to the model that has it as its own */
};

/* What a list says of a mode; tier 0 is the base. */
struct draft_mode {
	char name[16];
	struct rates rates[CONTEXT_TIERS_MAX + 1];
};

struct draft {
	struct list_reader *reader;
	struct price price;
	struct rates rates[CONTEXT_TIERS_MAX + 1]; /* of the standard mode */
	int modes;
	struct draft_mode mode[MODES_MAX];
	int line;
	int number; /* of the model in the list */
	bool broken; /* without what was left out, the price would be wrong */
};

/* Where a rate belongs. */
struct place {
	enum meter meter;
	int64_t above_tokens; /* 0: the base */
	const char *mode; /* "": standard */
};

/* Begins the price of a model; `provider` is the list's name for it, which becomes Bursar's. */
void draft_begin(struct list_reader *reader, const char *provider, const char *model, int line, struct draft *draft);
/* Bursar's name for a provider of a public list. */
const char *draft_provider(const char *name);

/* Lists a part that is not imported. */
void draft_skip(struct draft *draft, const char *field, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/*
 * Sets a rate in USD, a number times 10^scale / den pico-USD. What cannot be said exactly is listed under `field`. Two fields for one
 * place: the same rate, or one of them 0, is no conflict; else both are left out, and listed.
 */
void draft_rate(
	struct draft *draft, struct place place, const struct tree *number, int scale, int den, const char *field);

/* Has the list stated a rate of that mode? */
bool draft_states(const struct draft *draft, const char *mode, enum meter meter);

/* A ratio written as a decimal number ("1.1"); false if it is listed as not possible. */
bool draft_ratio(
	struct draft *draft, const struct tree *number, int32_t most, const char *field, int32_t *num, int32_t *den);
/* a / b, reduced; false if it does not fit. */
bool ratio_of(int64_t a, int64_t b, int32_t most, int32_t *num, int32_t *den);
void draft_region(struct draft *draft, const char *region, const struct tree *number, const char *field);

/* The rates and modes become those of the price. False if no price is left; that is listed. */
bool draft_end(struct draft *draft);
/* Says where the price is from: the list, the provider's page if the list names it, and the day on which it was read. */
void draft_source(struct draft *draft, const char *list, const char *page);
/* Adds it to the list, in force in [from_us, to_us), under its name or another one. The list is full: false. */
bool draft_add(struct draft *draft, const char *model, int64_t from_us, int64_t to_us, struct err *err);

/*
 * Hours in which all rates are `other`. False, and the price is broken, if that is not one ratio of the price's own rates; `field` is
 * listed.
 */
bool draft_hours_ratio(struct draft *draft, const struct rates *other, const char *field, int32_t *num, int32_t *den);
/* Adds hours behind those there are; they end on the next day if they begin later than they end. False: likewise. */
bool draft_hours_add(struct draft *draft, const struct price_hours *hours, const char *field);

/* price_litellm_csv.c: the rows of a CSV with litellm's fields as columns, as the tree that litellm_read reads. */
bool litellm_csv_tree(const char *text, size_t len, struct arena *arena, const struct tree **out, struct err *err);

bool litellm_read(struct list_reader *reader, const struct tree *root, struct err *err);
bool genai_read(struct list_reader *reader, const struct tree *root, struct err *err);

#endif

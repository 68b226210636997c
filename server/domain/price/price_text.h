/*
 * The parts of a price that have no field of their own, as people type and read them: lists separated by blanks.
 *   rates       cache_write_1h=6 web_searches=10            meter=price, in the meter's unit
 *   contexts    200000:input=4,output=15 >=1000000:input=8  the rates of a request with more input than this (>=: or as
 *                                                           much, which is stored as more than one token less)
 *   modes       batch=1/2 flex=1/2                          mode=ratio
 *   mode_rates  batch:cached_input=0.25 batch>200000:cached_input=0.5
 *                                                           mode:meter=price; >N: in the context tier above N tokens
 *   regions     us=11/10                                    region=ratio
 *   hours       mon-fri@09:00-12:00+08:00=2/1               [days@]from-to[offset from UTC, or zone in brackets]=ratio
 * Readers are given a NUL-terminated text; "" is an empty list. ERR_INVALID names `field`, the item, what is wrong and what
 * would be right. Writers (price_format.c) append to a buffer, in an order that does not depend on the order of input.
 */
#ifndef BURSAR_DOMAIN_PRICE_PRICE_TEXT_H
#define BURSAR_DOMAIN_PRICE_PRICE_TEXT_H

#include "base/buf.h"
#include "domain/price/price.h"

#define PRICE_DAYS_ALL 127
/* "mon" to "sun", as bits of price_hours.days. */
extern const char price_day_names[7][4];

/* Adds to `rates`; a meter that is listed twice is refused. */
bool rates_parse(const char *text, const char *field, struct rates *rates, struct err *err);
bool contexts_parse(const char *text, const char *field, struct price *price, struct err *err);
bool modes_parse(const char *text, const char *field, struct price *price, struct err *err);
/* Needs the modes: one that is not there yet is added with the ratio 0/0, "as before": see price_modes_settle. */
bool mode_rates_parse(const char *text, const char *field, struct price *price, struct err *err);
bool regions_parse(const char *text, const char *field, struct price *price, struct err *err);
bool hours_parse(const char *text, const char *field, struct price *price, struct err *err);

/* Modes without a ratio of their own have the ratio 1. */
void price_modes_settle(struct price *price);

/* Leaves out the meters of the mask `without`: 1 << meter. */
#define METERS_KEPT_MASK ((1u << METER_KEPT_COUNT) - 1)
void rates_format(const struct rates *rates, uint32_t without, struct buf *out);
void mode_rates_format(const struct price *price, struct buf *out);
void regions_format(const struct price *price, struct buf *out);
void hours_format(const struct price *price, struct buf *out);

#endif

/*
 * The tables of what Bursar measures and limits. Everything that lists amounts, token classes or dimensions is made from them: enums,
 * structs, names, packed bytes, SQL columns, header units. docs/store.md, the Lua and the migrations are held against them by
 * tests/lint/tables.
 */
#ifndef BURSAR_DOMAIN_LIMIT_DIMENSIONS_H
#define BURSAR_DOMAIN_LIMIT_DIMENSIONS_H

/*
 * What is measured of a request, in the order in which it is packed: ROW(NAME, name, api, ledger, window, unit, field).
 *   NAME, name  AMOUNT_<NAME>, and the member of struct amounts
 *   api         its field in the messages of the API (AdjustLedgerResponse, Reservation, NamedUse), and in audit_log
 *   ledger      the column of ledger, usage_daily, usage_monthly and usage_shared_daily
 *   window      the column of usage_windows
 *   unit        what is counted, in messages
 *   field       the field of AdjustLedgerRequest that changes it
 * The request itself counts once, whatever was used; all other amounts are what its attempts used.
 */
#define AMOUNTS(ROW) \
	ROW(REQUESTS, requests, requests, "requests", "requests", "requests", "requests") \
	AMOUNTS_USED(ROW)
#define AMOUNTS_USED(ROW) \
	ROW(INPUT, input, input_tokens, "charged_input", "input", "input tokens", "usage") \
	ROW(OUTPUT, output, output_tokens, "charged_output", "output", "output tokens", "usage") \
	ROW(COST, cost, cost_nano_usd, "cost_nano", "cost_nano", "nano-USD", "cost_nano_usd")

/* The classes that tokens are counted in, disjoint: ROW(NAME, name), the name being that of the column too. The order is stored. */
#define TOKEN_CLASSES(ROW) \
	ROW(INPUT, "input") \
	ROW(CACHED_INPUT, "cached_input") \
	ROW(CACHE_WRITE, "cache_write") \
	ROW(OUTPUT, "output") \
	ROW(REASONING, "reasoning") \
	ROW(AUDIO_INPUT, "audio_input") \
	ROW(AUDIO_OUTPUT, "audio_output")

/*
 * What a limit may limit: ROW(NAME, number, name, unit, shown, amount, rate, quota, noun, field).
 *   NAME    DIM_<NAME>
 *   number  stored in Redis and PostgreSQL, and one less than that of enum Dimension (proto/bursar/v1/types.proto): only ever add
 *   name    what people and the API call it: that of enum Dimension in lower case
 *   unit    of a quota, in the header RateLimit-Policy
 *   shown   SHOWN_COUNT, or SHOWN_MONEY: nano-USD, written as USD
 *   amount  how much a request that measures `amounts` takes of it; of a level the reservation itself counts, once
 *   rate    the reason of a denial by a bucket
 *   quota   the reason of a denial by a calendar limit
 *   noun    its word in sentences (domain/text/texts_language.h); not used where it is shown as money
 *   field   the field of AdjustLedgerRequest that is at fault where a counter of it has too little
 */
#define DIMENSIONS(ROW) \
	ROW(REQUESTS, 0, "requests", "requests", SHOWN_COUNT, amounts->requests, REASON_REQUEST_RATE, REASON_QUOTA, \
		NOUN_REQUEST, "requests") \
	ROW(TOKENS, 1, "tokens", "tokens", SHOWN_COUNT, amounts->input + amounts->output, REASON_TOKEN_RATE, \
		REASON_QUOTA, NOUN_TOKEN, "usage") \
	ROW(INPUT, 2, "input_tokens", "input-tokens", SHOWN_COUNT, amounts->input, REASON_TOKEN_RATE, REASON_QUOTA, \
		NOUN_INPUT, "usage") \
	ROW(OUTPUT, 3, "output_tokens", "output-tokens", SHOWN_COUNT, amounts->output, REASON_TOKEN_RATE, \
		REASON_QUOTA, NOUN_OUTPUT, "usage") \
	ROW(COST, 4, "cost", "nano-usd", SHOWN_MONEY, amounts->cost, REASON_COST_RATE, REASON_BUDGET, NOUN_REQUEST, \
		"cost_nano_usd") \
	ROW(CONCURRENT, 5, "concurrent", "concurrent-requests", SHOWN_COUNT, 1, REASON_CONCURRENCY, \
		REASON_CONCURRENCY, NOUN_REQUEST, "usage")

#endif

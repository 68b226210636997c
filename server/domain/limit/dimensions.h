/*
 * The tables of what Bursar measures and limits. Everything that lists amounts, meters or dimensions is made from them: enums,
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

/*
 * What a provider may bill of a request, disjoint: ROW(NAME, name, field, unit, side, parent). Only ever add at the end: the order is
 * stored in outbox entries.
 *   NAME, name  METER_<NAME>; its name for people, in price lists and in jsonb
 *   field       its field of TokenUsage and TokenChange (proto/bursar/v1)
 *   unit        UNIT_<unit>: what one of it is; see METER_UNITS
 *   side        SIDE_INPUT or SIDE_OUTPUT: it counts towards limits on tokens, an input also towards a context threshold. SIDE_NONE: it
 *               only costs
 *   parent      the meter whose rate applies if the price does not have one; itself: none
 * METERS_KEPT are those of nearly every request: columns of the ledger, of roll-ups and of model_prices. The others are kept in
 * ledger.meters, usage_meters and model_prices.more.
 */
#define METERS(ROW) METERS_KEPT(ROW) METERS_RARE(ROW)
#define METERS_KEPT(ROW) \
	ROW(INPUT, "input", input_tokens, TOKENS, SIDE_INPUT, INPUT) \
	ROW(CACHED_INPUT, "cached_input", cached_input_tokens, TOKENS, SIDE_INPUT, INPUT) \
	ROW(CACHE_WRITE, "cache_write", cache_write_tokens, TOKENS, SIDE_INPUT, INPUT) \
	ROW(OUTPUT, "output", output_tokens, TOKENS, SIDE_OUTPUT, OUTPUT) \
	ROW(REASONING, "reasoning", reasoning_tokens, TOKENS, SIDE_OUTPUT, OUTPUT) \
	ROW(AUDIO_INPUT, "audio_input", audio_input_tokens, TOKENS, SIDE_INPUT, INPUT) \
	ROW(AUDIO_OUTPUT, "audio_output", audio_output_tokens, TOKENS, SIDE_OUTPUT, OUTPUT)
#define METERS_RARE(ROW) \
	ROW(CACHE_WRITE_1H, "cache_write_1h", cache_write_1h_tokens, TOKENS, SIDE_INPUT, CACHE_WRITE) \
	ROW(CACHED_AUDIO_INPUT, "cached_audio_input", cached_audio_input_tokens, TOKENS, SIDE_INPUT, CACHED_INPUT) \
	ROW(IMAGE_INPUT, "image_input", image_input_tokens, TOKENS, SIDE_INPUT, INPUT) \
	ROW(CACHED_IMAGE_INPUT, "cached_image_input", cached_image_input_tokens, TOKENS, SIDE_INPUT, CACHED_INPUT) \
	ROW(IMAGE_OUTPUT, "image_output", image_output_tokens, TOKENS, SIDE_OUTPUT, OUTPUT) \
	ROW(VIDEO_INPUT, "video_input", video_input_tokens, TOKENS, SIDE_INPUT, INPUT) \
	ROW(CITATION, "citation", citation_tokens, TOKENS, SIDE_INPUT, INPUT) \
	ROW(CACHE_STORAGE, "cache_storage", cache_storage_token_hours, TOKEN_HOURS, SIDE_NONE, CACHE_STORAGE) \
	ROW(CHARACTERS, "characters", characters, CHARACTERS, SIDE_NONE, CHARACTERS) \
	ROW(AUDIO_SECONDS, "audio_seconds", audio_seconds, SECONDS, SIDE_NONE, AUDIO_SECONDS) \
	ROW(VIDEO_SECONDS, "video_seconds", video_seconds, SECONDS, SIDE_NONE, VIDEO_SECONDS) \
	ROW(INPUT_IMAGES, "input_images", input_images, IMAGES, SIDE_NONE, INPUT_IMAGES) \
	ROW(OUTPUT_IMAGES, "output_images", output_images, IMAGES, SIDE_NONE, OUTPUT_IMAGES) \
	ROW(PAGES, "pages", pages, PAGES, SIDE_NONE, PAGES) \
	ROW(CALLS, "calls", calls, CALLS, SIDE_NONE, CALLS) \
	ROW(WEB_SEARCHES, "web_searches", web_searches, CALLS, SIDE_NONE, WEB_SEARCHES) \
	ROW(FILE_SEARCHES, "file_searches", file_searches, CALLS, SIDE_NONE, FILE_SEARCHES) \
	ROW(CODE_EXECUTIONS, "code_executions", code_executions, CALLS, SIDE_NONE, CODE_EXECUTIONS) \
	ROW(MAP_SEARCHES, "map_searches", map_searches, CALLS, SIDE_NONE, MAP_SEARCHES) \
	ROW(GROUNDED_PROMPTS, "grounded_prompts", grounded_prompts, CALLS, SIDE_NONE, GROUNDED_PROMPTS) \
	ROW(SEARCH_UNITS, "search_units", search_units, CALLS, SIDE_NONE, SEARCH_UNITS)

/*
 * Units of meters: ROW(NAME, noun, per, fees).
 *   noun  in sentences
 *   per   how many a price is for: USD per 1,000,000 tokens, USD per 1,000 calls, USD per second
 *   fees  true: fees for services beside the model, which modes, regions and hours leave as they are
 */
#define METER_UNITS(ROW) \
	ROW(TOKENS, "tokens", 1000000, false) \
	ROW(TOKEN_HOURS, "token-hours", 1000000, true) \
	ROW(CHARACTERS, "characters", 1000000, false) \
	ROW(SECONDS, "seconds", 1, false) \
	ROW(IMAGES, "images", 1, false) \
	ROW(PAGES, "pages", 1000, false) \
	ROW(CALLS, "calls", 1000, true)

/*
 * What a limit may limit: ROW(NAME, number, name, unit, shown, amount, rate, quota, noun, field).
 *   NAME    DIM_<NAME>
 *   number  stored in Redis and PostgreSQL, and one less than that of enum Dimension (proto/bursar/v1/types.proto): only ever add
 *   name    what people and the API call it: that of enum Dimension in lower case
 *   unit    of a quota, in the header RateLimit-Policy
 *   shown   SHOWN_COUNT, or SHOWN_MONEY: nano-USD, written as USD
 *   amount  how much a request that measures `amounts`, and by the piece `counted`, takes of it; of a level the reservation itself counts, once
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
		REASON_CONCURRENCY, NOUN_REQUEST, "usage") \
	ROW(CACHE_STORAGE, 6, "cache_storage", "token-hours", SHOWN_COUNT, counted[COUNTED_CACHE_STORAGE], \
		REASON_REQUEST_RATE, REASON_QUOTA, NOUN_CACHE_STORAGE, "usage") \
	ROW(CHARACTERS, 7, "characters", "characters", SHOWN_COUNT, counted[COUNTED_CHARACTERS], REASON_REQUEST_RATE, \
		REASON_QUOTA, NOUN_CHARACTERS, "usage") \
	ROW(AUDIO_SECONDS, 8, "audio_seconds", "audio-seconds", SHOWN_COUNT, counted[COUNTED_AUDIO_SECONDS], \
		REASON_REQUEST_RATE, REASON_QUOTA, NOUN_AUDIO_SECONDS, "usage") \
	ROW(VIDEO_SECONDS, 9, "video_seconds", "video-seconds", SHOWN_COUNT, counted[COUNTED_VIDEO_SECONDS], \
		REASON_REQUEST_RATE, REASON_QUOTA, NOUN_VIDEO_SECONDS, "usage") \
	ROW(INPUT_IMAGES, 10, "input_images", "input-images", SHOWN_COUNT, counted[COUNTED_INPUT_IMAGES], \
		REASON_REQUEST_RATE, REASON_QUOTA, NOUN_INPUT_IMAGES, "usage") \
	ROW(OUTPUT_IMAGES, 11, "output_images", "output-images", SHOWN_COUNT, counted[COUNTED_OUTPUT_IMAGES], \
		REASON_REQUEST_RATE, REASON_QUOTA, NOUN_OUTPUT_IMAGES, "usage") \
	ROW(PAGES, 12, "pages", "pages", SHOWN_COUNT, counted[COUNTED_PAGES], REASON_REQUEST_RATE, REASON_QUOTA, \
		NOUN_PAGES, "usage") \
	ROW(CALLS, 13, "calls", "calls", SHOWN_COUNT, counted[COUNTED_CALLS], REASON_REQUEST_RATE, REASON_QUOTA, \
		NOUN_CALLS, "usage") \
	ROW(WEB_SEARCHES, 14, "web_searches", "web-searches", SHOWN_COUNT, counted[COUNTED_WEB_SEARCHES], \
		REASON_REQUEST_RATE, REASON_QUOTA, NOUN_WEB_SEARCHES, "usage") \
	ROW(FILE_SEARCHES, 15, "file_searches", "file-searches", SHOWN_COUNT, counted[COUNTED_FILE_SEARCHES], \
		REASON_REQUEST_RATE, REASON_QUOTA, NOUN_FILE_SEARCHES, "usage") \
	ROW(CODE_EXECUTIONS, 16, "code_executions", "code-executions", SHOWN_COUNT, counted[COUNTED_CODE_EXECUTIONS], \
		REASON_REQUEST_RATE, REASON_QUOTA, NOUN_CODE_EXECUTIONS, "usage") \
	ROW(MAP_SEARCHES, 17, "map_searches", "map-searches", SHOWN_COUNT, counted[COUNTED_MAP_SEARCHES], \
		REASON_REQUEST_RATE, REASON_QUOTA, NOUN_MAP_SEARCHES, "usage") \
	ROW(GROUNDED_PROMPTS, 18, "grounded_prompts", "grounded-prompts", SHOWN_COUNT, \
		counted[COUNTED_GROUNDED_PROMPTS], REASON_REQUEST_RATE, REASON_QUOTA, NOUN_GROUNDED_PROMPTS, "usage") \
	ROW(SEARCH_UNITS, 19, "search_units", "search-units", SHOWN_COUNT, counted[COUNTED_SEARCH_UNITS], \
		REASON_REQUEST_RATE, REASON_QUOTA, NOUN_SEARCH_UNITS, "usage")

/*
 * What limits count by the piece: the meters that are not tokens, each of which is a dimension of the same name: ROW(NAME), for
 * COUNTED_<NAME>, METER_<NAME> and DIM_<NAME>. In lua/lib/dimensions.lua they are the dimensions from pieces.first to pieces.last.
 */
#define COUNTED_METERS(ROW) \
	ROW(CACHE_STORAGE) \
	ROW(CHARACTERS) \
	ROW(AUDIO_SECONDS) \
	ROW(VIDEO_SECONDS) \
	ROW(INPUT_IMAGES) \
	ROW(OUTPUT_IMAGES) \
	ROW(PAGES) \
	ROW(CALLS) \
	ROW(WEB_SEARCHES) \
	ROW(FILE_SEARCHES) \
	ROW(CODE_EXECUTIONS) \
	ROW(MAP_SEARCHES) \
	ROW(GROUNDED_PROMPTS) \
	ROW(SEARCH_UNITS)

#endif

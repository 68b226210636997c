-- What providers bill besides the seven kinds of tokens (domain/limit/dimensions.h, METERS_RARE).

-- Of a price: {"rates": {"web_searches": n}, "mode_rates": [{"mode": "batch", "above": 0, "meter": "cached_input", "pico": n}],
-- "regions": {"us": [11, 10]}, "hours": [[minutes east of UTC, days from Monday as bits, from, to, 11, 10]]}; what is missing is empty.
-- Rates are pico-USD for one.
ALTER TABLE model_prices ADD COLUMN more jsonb NOT NULL DEFAULT '{}';

-- What a request used of the rare meters, {"web_searches": 2}; NULL: nothing. provider_cost_nano: what the provider says that it cost.
ALTER TABLE ledger ADD COLUMN meters jsonb;
ALTER TABLE ledger ADD COLUMN provider_cost_nano bigint;

-- The roll-up of the rare meters, for users (kind 1) and for what is shared by them (kinds as in usage_shared_daily). Requests that use
-- none of them have no row here.
CREATE TABLE usage_meters (
	tenant text COLLATE "C" NOT NULL,
	kind smallint NOT NULL CHECK (kind IN (1, 2, 3, 5)),
	id text COLLATE "C" NOT NULL,
	day date NOT NULL,
	provider text COLLATE "C" NOT NULL,
	model text COLLATE "C" NOT NULL,
	interface text COLLATE "C" NOT NULL,
	meter text COLLATE "C" NOT NULL,
	shard smallint NOT NULL,
	count bigint NOT NULL,
	PRIMARY KEY (tenant, kind, id, day, provider, model, interface, meter, shard)
) WITH (fillfactor = 50);

-- Whose word on the cost of a request counts, if the provider says what it cost: 1 the price's, 2 the provider's.
ALTER TABLE tenants ADD COLUMN cost_source smallint NOT NULL DEFAULT 1 CHECK (cost_source IN (1, 2));

-- What the price says that a request cost: kept beside provider_cost_nano, whichever of the two is in cost_nano (flags & 8192: the
-- provider's), and by re-ratings (entry 4, flags & 4096: their price and flags are the request's from then on).
ALTER TABLE ledger ADD COLUMN list_cost_nano bigint;
-- Corrections of a request. They are few: other rows cost nothing but a look at their entry.
CREATE INDEX ledger_adjusts ON ledger (tenant, user_id, adjusts, attempt) WHERE entry = 4;

-- A roll-up like usage_meters. compared: requests of which the provider said what they cost, and what it and the price said.
-- corrected: requests that were re-rated, and by how much that changed their cost. Requests that are neither have no row here.
CREATE TABLE usage_costs (
	tenant text COLLATE "C" NOT NULL,
	kind smallint NOT NULL CHECK (kind IN (1, 2, 3, 5)),
	id text COLLATE "C" NOT NULL,
	day date NOT NULL,
	provider text COLLATE "C" NOT NULL,
	model text COLLATE "C" NOT NULL,
	interface text COLLATE "C" NOT NULL,
	shard smallint NOT NULL,
	compared bigint NOT NULL,
	provider_nano bigint NOT NULL,
	list_nano bigint NOT NULL,
	corrected bigint NOT NULL,
	corrected_nano bigint NOT NULL,
	PRIMARY KEY (tenant, kind, id, day, provider, model, interface, shard)
) WITH (fillfactor = 50);

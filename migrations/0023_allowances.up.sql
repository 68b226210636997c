-- Free allowances of prices: model_prices.more has {"allowances": [{"meter": "web_searches", "amount": 1000, "unit": "day", "zone": "",
-- "shared": ""}]}. What they cover of a record is decided behind the ledger, once, and corrected there (docs/decisions/0016-allowances-behind-the-ledger.md).

-- What allowances covered of the request, after a re-rating (entry 4, flags & 4096); NULL: nothing.
ALTER TABLE ledger ADD COLUMN allowance_nano bigint;
-- Requests of which allowances covered something, and how much that was worth.
ALTER TABLE usage_costs ADD COLUMN allowed bigint NOT NULL DEFAULT 0, ADD COLUMN allowance_nano bigint NOT NULL DEFAULT 0;

-- Records that may have something free, from their row in the ledger until that is decided and corrected.
CREATE TABLE allowance_due (
	tenant text COLLATE "C" NOT NULL,
	day date NOT NULL,
	user_id text COLLATE "C" NOT NULL,
	request_id text COLLATE "C" NOT NULL,
	attempt smallint NOT NULL,
	PRIMARY KEY (tenant, day, user_id, request_id, attempt)
);

-- How much of an allowance is given away. pool: the name of the allowance, or the model.
CREATE TABLE allowance_periods (
	tenant text COLLATE "C" NOT NULL,
	provider text COLLATE "C" NOT NULL,
	pool text COLLATE "C" NOT NULL,
	meter text COLLATE "C" NOT NULL,
	starts_us bigint NOT NULL,
	used bigint NOT NULL CHECK (used >= 0),
	PRIMARY KEY (tenant, provider, pool, meter, starts_us)
) WITH (fillfactor = 50);

-- To whom: day is that of the record in the ledger, starts_us the period from which it has them.
CREATE TABLE allowance_shares (
	tenant text COLLATE "C" NOT NULL,
	day date NOT NULL,
	user_id text COLLATE "C" NOT NULL,
	request_id text COLLATE "C" NOT NULL,
	attempt smallint NOT NULL,
	meter text COLLATE "C" NOT NULL,
	provider text COLLATE "C" NOT NULL,
	pool text COLLATE "C" NOT NULL,
	starts_us bigint NOT NULL,
	count bigint NOT NULL CHECK (count > 0),
	PRIMARY KEY (tenant, day, user_id, request_id, attempt, meter)
);
CREATE INDEX allowance_shares_by_day ON allowance_shares (day);

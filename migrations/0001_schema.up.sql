-- What must last: accounts, tiers, prices, the ledger. Redis is rebuilt from here.
--
-- Units: *_us are microseconds since 1970-01-01 UTC, *_nano nano-USD, prices pico-USD per token. Numbers of kinds,
-- dimensions and the like are those of server/domain. Ids are compared byte by byte (COLLATE "C"), so that every
-- writer sorts its keys alike and no two of them deadlock.

CREATE DOMAIN ident AS text COLLATE "C" CHECK (octet_length(VALUE) <= 128);
CREATE DOMAIN count53 AS bigint CHECK (VALUE BETWEEN 0 AND 9007199254740991);

-- One row: raised by each change of what every worker keeps in memory. Workers poll it.
CREATE TABLE catalog_epoch (
	one boolean PRIMARY KEY DEFAULT true CHECK (one),
	generation bigint NOT NULL
);
INSERT INTO catalog_epoch (generation) VALUES (1);

CREATE FUNCTION catalog_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	UPDATE catalog_epoch SET generation = generation + 1;
	RETURN NULL;
END $$;

-- A tenant without a row has the settings of the row 'default'.
CREATE TABLE tenants (
	id ident PRIMARY KEY,
	default_tier text NOT NULL DEFAULT 'free',
	unknown_users smallint NOT NULL DEFAULT 1 CHECK (unknown_users IN (1, 2)),     -- admit, refuse
	unknown_model smallint NOT NULL DEFAULT 1 CHECK (unknown_model IN (1, 2, 3)),  -- refuse, fallback, free
	fallback_model text NOT NULL DEFAULT '',
	language text NOT NULL DEFAULT 'en',
	epoch bigint NOT NULL DEFAULT 1, -- of its policies: records in Redis follow the higher one
	created_at timestamptz NOT NULL DEFAULT now(),
	updated_at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO tenants (id) VALUES ('default');
CREATE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE ON tenants EXECUTE FUNCTION catalog_changed();

-- Tenant '' holds the shipped tiers; a tenant's own tier of the same name goes before them.
CREATE TABLE tiers (
	tenant ident NOT NULL DEFAULT '',
	name text COLLATE "C" NOT NULL CHECK (octet_length(name) BETWEEN 1 AND 64),
	pool_priority integer NOT NULL DEFAULT 1,
	pool_concurrent integer NOT NULL DEFAULT 1,
	default_output_tokens count53 NOT NULL DEFAULT 1000,
	fail_policy smallint NOT NULL DEFAULT 1 CHECK (fail_policy IN (1, 2, 3)), -- local, open, closed
	upgrade_to text NOT NULL DEFAULT '',
	updated_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (tenant, name)
);
CREATE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE ON tiers EXECUTE FUNCTION catalog_changed();

CREATE TABLE tier_limits (
	tenant ident NOT NULL DEFAULT '',
	tier text COLLATE "C" NOT NULL,
	position smallint NOT NULL CHECK (position BETWEEN 0 AND 31),
	name text COLLATE "C" NOT NULL,
	dimension smallint NOT NULL CHECK (dimension BETWEEN 0 AND 5), -- requests tokens input output cost concurrent
	kind smallint NOT NULL CHECK (kind BETWEEN 0 AND 2),           -- bucket calendar level
	unit smallint NOT NULL DEFAULT 0 CHECK (unit BETWEEN 0 AND 2), -- calendar: day week month
	amount count53 NOT NULL,
	period_us bigint NOT NULL DEFAULT 0,
	burst count53 NOT NULL DEFAULT 0, -- 0: the amount
	interface ident NOT NULL DEFAULT '',
	model ident NOT NULL DEFAULT '',
	shadow boolean NOT NULL DEFAULT false,
	notify boolean NOT NULL DEFAULT true,
	warn_percent smallint NOT NULL DEFAULT 0, -- 0: the server's
	PRIMARY KEY (tenant, tier, position),
	UNIQUE (tenant, tier, name),
	FOREIGN KEY (tenant, tier) REFERENCES tiers (tenant, name) ON DELETE CASCADE
);
CREATE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE ON tier_limits EXECUTE FUNCTION catalog_changed();

-- kind: 1 user, 2 team, 3 org, 4 model, 5 tenant. Version 0: written with a user's first ledger entry, never put.
CREATE TABLE accounts (
	tenant ident NOT NULL,
	kind smallint NOT NULL CHECK (kind BETWEEN 1 AND 5),
	id ident NOT NULL,
	tier text COLLATE "C" NOT NULL DEFAULT '', -- '': the tenant's default tier
	team ident NOT NULL DEFAULT '',
	org ident NOT NULL DEFAULT '',
	suspended boolean NOT NULL DEFAULT false,
	suspended_reason text NOT NULL DEFAULT '',
	bypass boolean NOT NULL DEFAULT false,
	deleted boolean NOT NULL DEFAULT false,
	grace_percent integer NOT NULL DEFAULT 0,
	grace_until_us bigint NOT NULL DEFAULT 0,
	zone text NOT NULL DEFAULT '', -- '': UTC
	zone_previous text NOT NULL DEFAULT '',
	zone_changed_at_us bigint NOT NULL DEFAULT 0,
	version bigint NOT NULL DEFAULT 0,
	created_at timestamptz NOT NULL DEFAULT now(),
	updated_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (tenant, kind, id)
);
CREATE INDEX accounts_by_tier ON accounts (tenant, kind, tier, id);
-- Workers keep in memory which models and tenants have an account at all.
CREATE TRIGGER added AFTER INSERT ON accounts FOR EACH ROW WHEN (NEW.kind >= 4) EXECUTE FUNCTION catalog_changed();
CREATE TRIGGER removed AFTER DELETE ON accounts FOR EACH ROW WHEN (OLD.kind >= 4) EXECUTE FUNCTION catalog_changed();

-- An account's own limits: each replaces its tier's limit of that name, or is added behind.
CREATE TABLE account_limits (
	tenant ident NOT NULL,
	account_kind smallint NOT NULL,
	account_id ident NOT NULL,
	position smallint NOT NULL CHECK (position BETWEEN 0 AND 31),
	name text COLLATE "C" NOT NULL,
	dimension smallint NOT NULL CHECK (dimension BETWEEN 0 AND 5),
	kind smallint NOT NULL CHECK (kind BETWEEN 0 AND 2),
	unit smallint NOT NULL DEFAULT 0 CHECK (unit BETWEEN 0 AND 2),
	amount count53 NOT NULL,
	period_us bigint NOT NULL DEFAULT 0,
	burst count53 NOT NULL DEFAULT 0,
	interface ident NOT NULL DEFAULT '',
	model ident NOT NULL DEFAULT '',
	shadow boolean NOT NULL DEFAULT false,
	notify boolean NOT NULL DEFAULT true,
	warn_percent smallint NOT NULL DEFAULT 0,
	PRIMARY KEY (tenant, account_kind, account_id, position),
	UNIQUE (tenant, account_kind, account_id, name),
	FOREIGN KEY (tenant, account_kind, account_id) REFERENCES accounts (tenant, kind, id) ON DELETE CASCADE
);

-- Changes of accounts that Redis has not confirmed; the ledger role repeats them. A tier's change needs no row: its
-- tenant's epoch is in `tenants`, and records follow it with the next call that names them.
CREATE TABLE policy_changes (
	id bigserial PRIMARY KEY,
	tenant ident NOT NULL,
	kind smallint NOT NULL,
	account ident NOT NULL,
	version bigint NOT NULL,
	created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX policy_changes_by_account ON policy_changes (tenant, kind, account);

-- Only the hash of a key is kept; `prefix` is what a person recognises it by.
CREATE TABLE api_keys (
	id bigserial PRIMARY KEY,
	tenant ident NOT NULL, -- '': an operator's, for all tenants
	hash bytea NOT NULL UNIQUE CHECK (octet_length(hash) = 32),
	prefix text NOT NULL,
	role smallint NOT NULL, -- 1 user, 2 bot, 3 viewer, 4 admin, 5 operator
	account ident NOT NULL DEFAULT '',
	label text NOT NULL DEFAULT '',
	created_at timestamptz NOT NULL DEFAULT now(),
	expires_at timestamptz,
	revoked_at timestamptz
);

-- In force in [from_us, to_us); to_us 0 is open. A rate of NULL: no price of its own, so the parent class' counts.
-- context: [{"above": tokens, "input": n, "output": n, "cached_input": n, "cache_write": n, ...}], rates may be left out.
-- modes: {"batch": [1, 2]}: the price times 1/2.
CREATE TABLE model_prices (
	id bigserial PRIMARY KEY,
	tenant ident NOT NULL DEFAULT '',
	account ident NOT NULL DEFAULT '',
	provider ident NOT NULL,
	model ident NOT NULL,
	from_us bigint NOT NULL DEFAULT 0,
	to_us bigint NOT NULL DEFAULT 0 CHECK (to_us = 0 OR to_us > from_us),
	input bigint,
	output bigint,
	cached_input bigint,
	cache_write bigint,
	reasoning bigint,
	audio_input bigint,
	audio_output bigint,
	context jsonb NOT NULL DEFAULT '[]',
	modes jsonb NOT NULL DEFAULT '{}',
	source text NOT NULL DEFAULT '',
	created_at timestamptz NOT NULL DEFAULT now(),
	UNIQUE (tenant, account, provider, model, from_us),
	CHECK (least(input, output, cached_input, cache_write, reasoning, audio_input, audio_output) >= 0),
	CHECK (greatest(input, output, cached_input, cache_write, reasoning, audio_input, audio_output) <= 1000000000000)
);
CREATE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE ON model_prices EXECUTE FUNCTION catalog_changed();

CREATE TABLE model_aliases (
	tenant ident NOT NULL DEFAULT '',
	alias ident NOT NULL,
	provider ident NOT NULL,
	model ident NOT NULL,
	PRIMARY KEY (tenant, alias)
);
CREATE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE ON model_aliases EXECUTE FUNCTION catalog_changed();

-- The ledger. Rows are never edited. `day` is the UTC day of started_at, so a repeat always meets the same row.
-- entry: 0 record, 1 expiry, 2 reset, 3 cancel after attempts, and other corrections.
-- origin: generation and id of the outbox entry; the same key from another origin is a double charge.
-- charged_input, charged_output, cost_nano, requests: what went into the counters. The seven classes: what was used;
-- they differ from it where an expired estimate had been charged before.
-- The key begins with the tenant, not the day: inside a partition the day says nothing.
CREATE TABLE ledger (
	day date NOT NULL,
	tenant text COLLATE "C" NOT NULL,
	user_id text COLLATE "C" NOT NULL,
	request_id text COLLATE "C" NOT NULL,
	attempt smallint NOT NULL,
	entry smallint NOT NULL,
	flags integer NOT NULL, -- 1 unpriced, 2 parent's rate, 4 above context; 256 final, 512 late, 1024 never checked
	at timestamptz NOT NULL,
	started_at timestamptz NOT NULL,
	price_from_us bigint NOT NULL,
	requests bigint NOT NULL,
	charged_input bigint NOT NULL,
	charged_output bigint NOT NULL,
	cost_nano bigint NOT NULL,
	input bigint NOT NULL,
	cached_input bigint NOT NULL,
	cache_write bigint NOT NULL,
	output bigint NOT NULL,
	reasoning bigint NOT NULL,
	audio_input bigint NOT NULL,
	audio_output bigint NOT NULL,
	origin text COLLATE "C" NOT NULL,
	interface text COLLATE "C" NOT NULL,
	model_checked text COLLATE "C" NOT NULL,
	model text COLLATE "C" NOT NULL, -- as served
	provider text COLLATE "C" NOT NULL, -- provider and price_model: whose price it was
	price_model text COLLATE "C" NOT NULL,
	mode text COLLATE "C" NOT NULL,
	tier text COLLATE "C" NOT NULL,
	team text COLLATE "C" NOT NULL,
	org text COLLATE "C" NOT NULL,
	note text NOT NULL, -- resets: who and why
	PRIMARY KEY (tenant, user_id, request_id, attempt, entry, day)
) PARTITION BY RANGE (day);

-- Makes the partition of a day, unless there is one. Made apart and attached: CREATE ... PARTITION OF would lock the
-- whole ledger against readers and writers.
CREATE FUNCTION ledger_partition(wanted date) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
	part text := 'ledger_' || to_char(wanted, 'YYYYMMDD');
BEGIN
	IF to_regclass(part) IS NOT NULL THEN
		RETURN false;
	END IF;
	PERFORM pg_advisory_xact_lock(1651864434, -1);
	-- Asked of the table itself: to_regclass answers from a cache that waiting for the lock has not brought up to date.
	IF EXISTS (SELECT FROM pg_class WHERE relname = part
			AND relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = 'ledger'::regclass)) THEN
		RETURN false;
	END IF;
	EXECUTE format('CREATE TABLE %I (LIKE ledger INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', part);
	EXECUTE format('ALTER TABLE ledger ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', part, wanted, wanted + 1);
	RETURN true;
END $$;

-- Drops the partitions of the days before `first_kept`; says how many.
CREATE FUNCTION ledger_retire(first_kept date) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
	part text;
	dropped integer := 0;
BEGIN
	FOR part IN
		SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
		WHERE i.inhparent = 'ledger'::regclass AND c.relname ~ '^ledger_[0-9]{8}$'
			AND to_date(substr(c.relname, 8), 'YYYYMMDD') < first_kept
		ORDER BY c.relname
	LOOP
		EXECUTE format('DROP TABLE %I', part);
		dropped := dropped + 1;
	END LOOP;
	RETURN dropped;
END $$;

-- Outbox entries that are none, or that the ledger refused: kept as they are, to be looked at by a person.
CREATE TABLE ledger_rejects (
	origin text COLLATE "C" PRIMARY KEY,
	rejected_at timestamptz NOT NULL DEFAULT now(),
	reason text NOT NULL,
	bytes bytea NOT NULL
);

-- Roll-ups: sums of ledger rows (resets are no use and count nowhere), kept in the transaction that inserts the rows.
CREATE TABLE usage_daily (
	tenant text COLLATE "C" NOT NULL,
	user_id text COLLATE "C" NOT NULL,
	day date NOT NULL,
	interface text COLLATE "C" NOT NULL,
	provider text COLLATE "C" NOT NULL,
	model text COLLATE "C" NOT NULL, -- whose price it was; without a price, as served or checked
	rows bigint NOT NULL,
	requests bigint NOT NULL,
	charged_input bigint NOT NULL,
	charged_output bigint NOT NULL,
	cost_nano bigint NOT NULL,
	input bigint NOT NULL,
	cached_input bigint NOT NULL,
	cache_write bigint NOT NULL,
	output bigint NOT NULL,
	reasoning bigint NOT NULL,
	audio_input bigint NOT NULL,
	audio_output bigint NOT NULL,
	unpriced bigint NOT NULL, -- rows without a price of their own: to be re-rated
	PRIMARY KEY (tenant, user_id, day, interface, provider, model)
) WITH (fillfactor = 80);
CREATE INDEX usage_daily_by_day ON usage_daily (tenant, day);

CREATE TABLE usage_monthly (
	tenant text COLLATE "C" NOT NULL,
	user_id text COLLATE "C" NOT NULL,
	month date NOT NULL,
	rows bigint NOT NULL,
	requests bigint NOT NULL,
	charged_input bigint NOT NULL,
	charged_output bigint NOT NULL,
	cost_nano bigint NOT NULL,
	PRIMARY KEY (tenant, user_id, month)
) WITH (fillfactor = 80);
CREATE INDEX usage_monthly_by_month ON usage_monthly (tenant, month);

-- What Redis is seeded from. usage_windows mirrors each calendar counter's settled part (a reset adds a negative
-- amount, so the order of additions does not matter); of token_buckets the level with the newer as_of_us counts.
CREATE TABLE usage_windows (
	tenant text COLLATE "C" NOT NULL,
	kind smallint NOT NULL,
	id text COLLATE "C" NOT NULL,
	limit_id bigint NOT NULL,
	starts_at_us bigint NOT NULL,
	used bigint NOT NULL,
	PRIMARY KEY (tenant, kind, id, limit_id, starts_at_us)
) WITH (fillfactor = 80);
CREATE INDEX usage_windows_by_start ON usage_windows USING brin (starts_at_us);

CREATE TABLE token_buckets (
	tenant text COLLATE "C" NOT NULL,
	kind smallint NOT NULL,
	id text COLLATE "C" NOT NULL,
	limit_id bigint NOT NULL,
	full_at_us bigint NOT NULL, -- full again at full_at_us + rem/den
	rem bigint NOT NULL,
	num bigint NOT NULL, -- one unit flows in within num/den microseconds
	den bigint NOT NULL,
	as_of_us bigint NOT NULL,
	PRIMARY KEY (tenant, kind, id, limit_id)
) WITH (fillfactor = 80);

-- Priority pools, alerts: their settings and what became of them.
CREATE TABLE pools (
	tenant ident NOT NULL,
	name text COLLATE "C" NOT NULL,
	slots integer NOT NULL CHECK (slots >= 0),
	queue_length integer NOT NULL DEFAULT 1000,
	lease_ttl_us bigint NOT NULL DEFAULT 60000000,
	paused boolean NOT NULL DEFAULT false,
	options jsonb NOT NULL DEFAULT '{}',
	updated_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (tenant, name)
);
CREATE TABLE alert_rules (
	id bigserial PRIMARY KEY,
	tenant ident NOT NULL,
	name text NOT NULL,
	enabled boolean NOT NULL DEFAULT true,
	condition jsonb NOT NULL,
	target jsonb NOT NULL,
	created_at timestamptz NOT NULL DEFAULT now(),
	UNIQUE (tenant, name)
);
CREATE TABLE alert_events (
	id bigserial PRIMARY KEY,
	rule bigint NOT NULL REFERENCES alert_rules ON DELETE CASCADE,
	dedupe text NOT NULL, -- one event a rule and occasion, whoever sees it first
	at timestamptz NOT NULL DEFAULT now(),
	details jsonb NOT NULL,
	UNIQUE (rule, dedupe)
);
CREATE TABLE alert_deliveries (
	id bigserial PRIMARY KEY,
	event bigint NOT NULL REFERENCES alert_events ON DELETE CASCADE,
	tries integer NOT NULL DEFAULT 0,
	next_try_at timestamptz NOT NULL DEFAULT now(),
	delivered_at timestamptz,
	last_error text NOT NULL DEFAULT ''
);
CREATE INDEX alert_deliveries_due ON alert_deliveries (next_try_at) WHERE delivered_at IS NULL;

-- Who changed what. Nothing is ever taken out or altered.
CREATE TABLE audit_log (
	id bigserial PRIMARY KEY,
	at timestamptz NOT NULL DEFAULT now(),
	tenant ident NOT NULL,
	actor text NOT NULL,
	action text NOT NULL,
	target text NOT NULL,
	reason text NOT NULL,
	details jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX audit_log_by_target ON audit_log (tenant, target, id);
CREATE FUNCTION audit_log_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION 'audit_log: rows are only added';
END $$;
CREATE TRIGGER kept BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log EXECUTE FUNCTION audit_log_is_kept();

-- Singletons elect themselves: a row, its holder until a time, and a fence that rises with each new holder. Advisory
-- session locks would not survive a transaction pooler.
CREATE TABLE leases (
	name text PRIMARY KEY,
	holder text NOT NULL,
	fence bigint NOT NULL,
	until timestamptz NOT NULL
);

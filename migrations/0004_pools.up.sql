-- The priority pools' settings, as struct pool_settings has them; nothing wrote the table before. Tenant '' holds the
-- shipped pool agent-execution, which every tenant has unless it has a row of its own by that name; its slots are the option
-- max_concurrent_agents, which bursard writes here at its start, raising `gen` of every pool that takes its slots from it.
ALTER TABLE pools RENAME COLUMN queue_length TO queue_limit;
ALTER TABLE pools RENAME COLUMN lease_ttl_us TO lease_us;
ALTER TABLE pools
	DROP COLUMN options,
	ALTER COLUMN tenant SET DEFAULT '',
	ALTER COLUMN queue_limit SET DEFAULT 10000,
	ALTER COLUMN lease_us SET DEFAULT 30000000,
	ADD COLUMN gen bigint NOT NULL DEFAULT 1 CHECK (gen BETWEEN 1 AND 4294967295), -- raised by each change
	ADD COLUMN slots_from_option boolean NOT NULL DEFAULT false,
	ADD COLUMN available boolean NOT NULL DEFAULT false,
	ADD COLUMN level_queue_limit integer NOT NULL DEFAULT 5000,
	ADD COLUMN user_queue_limit integer NOT NULL DEFAULT 0, -- 0: 2 x the user's cap + 8
	ADD COLUMN age_us bigint NOT NULL DEFAULT 120000000,
	ADD COLUMN age_every integer NOT NULL DEFAULT 5,
	ADD COLUMN starve_us bigint NOT NULL DEFAULT 240000000,
	ADD COLUMN predicted_wait_max_us bigint NOT NULL DEFAULT 150000000,
	ADD COLUMN wait_max_us bigint NOT NULL DEFAULT 300000000,
	ADD COLUMN estimate_us bigint NOT NULL DEFAULT 30000000,
	ADD COLUMN learn_margin_us bigint NOT NULL DEFAULT 5000000,
	ADD COLUMN drain_us bigint NOT NULL DEFAULT 60000000,
	ADD CONSTRAINT pool_name CHECK (name ~ '^[a-z0-9._-]{1,64}$');
CREATE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE ON pools EXECUTE FUNCTION catalog_changed();
INSERT INTO pools (tenant, name, slots, slots_from_option) VALUES ('', 'agent-execution', 5, true);

-- Weights and limits of priorities, where they are not the default: weight = priority, the pool's level_queue_limit.
CREATE TABLE pool_levels (
	tenant ident NOT NULL,
	pool text COLLATE "C" NOT NULL,
	priority integer NOT NULL CHECK (priority BETWEEN 1 AND 100),
	weight integer NOT NULL CHECK (weight BETWEEN 1 AND 10000),
	queue_limit integer NOT NULL DEFAULT 0, -- 0: the pool's
	PRIMARY KEY (tenant, pool, priority),
	FOREIGN KEY (tenant, pool) REFERENCES pools (tenant, name) ON DELETE CASCADE
);
CREATE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE ON pool_levels EXECUTE FUNCTION catalog_changed();

-- Each time that a pool's state was begun in Redis. Whoever begins it without having been the first may do so beside
-- leases of before, and has to wait for their end. Not of the catalog: no row here changes a setting.
CREATE TABLE pool_openings (
	tenant ident NOT NULL,
	pool text COLLATE "C" NOT NULL,
	first_token text NOT NULL, -- who asked first
	epoch bigint NOT NULL CHECK (epoch BETWEEN 1 AND 4294967295), -- greater with each answer
	PRIMARY KEY (tenant, pool)
);

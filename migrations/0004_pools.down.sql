DROP TABLE pool_openings;
DROP TABLE pool_levels;
DROP TRIGGER changed ON pools;
DELETE FROM pools WHERE tenant = '';
ALTER TABLE pools
	DROP CONSTRAINT pool_name,
	DROP COLUMN gen,
	DROP COLUMN slots_from_option,
	DROP COLUMN available,
	DROP COLUMN level_queue_limit,
	DROP COLUMN user_queue_limit,
	DROP COLUMN age_us,
	DROP COLUMN age_every,
	DROP COLUMN starve_us,
	DROP COLUMN predicted_wait_max_us,
	DROP COLUMN wait_max_us,
	DROP COLUMN estimate_us,
	DROP COLUMN learn_margin_us,
	DROP COLUMN drain_us,
	ADD COLUMN options jsonb NOT NULL DEFAULT '{}',
	ALTER COLUMN lease_us SET DEFAULT 60000000,
	ALTER COLUMN queue_limit SET DEFAULT 1000,
	ALTER COLUMN tenant DROP DEFAULT;
ALTER TABLE pools RENAME COLUMN lease_us TO lease_ttl_us;
ALTER TABLE pools RENAME COLUMN queue_limit TO queue_length;

-- The shipped tiers, of tenant '': every tenant has them unless it has a tier of its own by that name.
-- server/domain/tiers_default.c is the same table; a unit test compares the two.
INSERT INTO tiers (tenant, name, pool_priority, pool_concurrent, default_output_tokens, upgrade_to) VALUES
('', 'free', 1, 1, 1000, 'pro'),
('', 'pro', 5, 3, 1000, 'enterprise'),
('', 'enterprise', 10, 10, 1000, '');

-- dimension: 0 requests, 1 tokens, 4 cost (nano-USD); kind: 0 bucket, 1 calendar; unit: 0 day, 2 month.
INSERT INTO tier_limits (tenant, tier, position, name, dimension, kind, unit, amount, period_us, shadow, notify) VALUES
('', 'free', 0, 'requests_per_minute', 0, 0, 0, 3, 60000000, false, false),
('', 'free', 1, 'tokens_per_minute', 1, 0, 0, 40000, 60000000, false, false),
('', 'free', 2, 'requests_per_day', 0, 1, 0, 50, 0, false, true),
('', 'free', 3, 'requests_per_month', 0, 1, 2, 1000, 0, false, true),
('', 'free', 4, 'cost_per_day', 4, 1, 0, 250000000, 0, false, true),
('', 'free', 5, 'cost_per_month', 4, 1, 2, 5000000000, 0, false, true),
('', 'free', 6, 'cost_refill', 4, 0, 0, 250000000, 86400000000, false, false),
('', 'free', 7, 'tokens_per_month', 1, 1, 2, 9007199254740991, 0, true, false),
('', 'pro', 0, 'requests_per_minute', 0, 0, 0, 20, 60000000, false, false),
('', 'pro', 1, 'tokens_per_minute', 1, 0, 0, 200000, 60000000, false, false),
('', 'pro', 2, 'requests_per_day', 0, 1, 0, 1000, 0, false, true),
('', 'pro', 3, 'requests_per_month', 0, 1, 2, 20000, 0, false, true),
('', 'pro', 4, 'cost_per_day', 4, 1, 0, 5000000000, 0, false, true),
('', 'pro', 5, 'cost_per_month', 4, 1, 2, 100000000000, 0, false, true),
('', 'pro', 6, 'cost_refill', 4, 0, 0, 5000000000, 86400000000, false, false),
('', 'pro', 7, 'tokens_per_month', 1, 1, 2, 9007199254740991, 0, true, false),
('', 'enterprise', 0, 'requests_per_minute', 0, 0, 0, 100, 60000000, false, false),
('', 'enterprise', 1, 'tokens_per_minute', 1, 0, 0, 1000000, 60000000, false, false),
('', 'enterprise', 2, 'requests_per_day', 0, 1, 0, 10000, 0, false, true),
('', 'enterprise', 3, 'requests_per_month', 0, 1, 2, 200000, 0, false, true),
('', 'enterprise', 4, 'cost_per_day', 4, 1, 0, 50000000000, 0, false, true),
('', 'enterprise', 5, 'cost_per_month', 4, 1, 2, 1000000000000, 0, false, true),
('', 'enterprise', 6, 'cost_refill', 4, 0, 0, 50000000000, 86400000000, false, false),
('', 'enterprise', 7, 'tokens_per_month', 1, 1, 2, 9007199254740991, 0, true, false);

-- What is used by tier: kind 6 of the roll-ups of what several users share, its id the tier that the user was on at the time of the
-- request, as ledger.tier has it. It begins with this migration: what was written before, or by an older bursard beside it, and what
-- the ledger has no tier of, is the difference from the tenant's rows (kind 5), and the views below name its tier ''.
ALTER TABLE usage_shared_daily DROP CONSTRAINT usage_shared_daily_kind_check, ADD CHECK (kind IN (2, 3, 5, 6));
ALTER TABLE usage_meters DROP CONSTRAINT usage_meters_kind_check, ADD CHECK (kind IN (1, 2, 3, 5, 6));
ALTER TABLE usage_costs DROP CONSTRAINT usage_costs_kind_check, ADD CHECK (kind IN (1, 2, 3, 5, 6));

-- Their sums over all tiers are the tenant's.
CREATE VIEW usage_tiers_daily AS
SELECT tenant, id AS tier, day, provider, model, interface, rows, requests, charged_input, charged_output, cost_nano, input,
	cached_input, cache_write, output, reasoning, audio_input, audio_output, unpriced
FROM usage_shared_daily WHERE kind = 6
UNION ALL SELECT tenant, '', day, provider, model, interface, rows, requests, charged_input, charged_output, cost_nano, input,
	cached_input, cache_write, output, reasoning, audio_input, audio_output, unpriced
FROM usage_shared_daily WHERE kind = 5 AND id = tenant
UNION ALL SELECT tenant, '', day, provider, model, interface, -rows, -requests, -charged_input, -charged_output, -cost_nano, -input,
	-cached_input, -cache_write, -output, -reasoning, -audio_input, -audio_output, -unpriced
FROM usage_shared_daily WHERE kind = 6;

CREATE VIEW usage_tiers_meters AS
SELECT tenant, id AS tier, day, provider, model, interface, meter, count FROM usage_meters WHERE kind = 6
UNION ALL SELECT tenant, '', day, provider, model, interface, meter, count FROM usage_meters WHERE kind = 5 AND id = tenant
UNION ALL SELECT tenant, '', day, provider, model, interface, meter, -count FROM usage_meters WHERE kind = 6;

CREATE VIEW usage_tiers_costs AS
SELECT tenant, id AS tier, day, provider, model, interface, compared, provider_nano, list_nano, corrected, corrected_nano, allowed,
	allowance_nano
FROM usage_costs WHERE kind = 6
UNION ALL SELECT tenant, '', day, provider, model, interface, compared, provider_nano, list_nano, corrected, corrected_nano, allowed,
	allowance_nano
FROM usage_costs WHERE kind = 5 AND id = tenant
UNION ALL SELECT tenant, '', day, provider, model, interface, -compared, -provider_nano, -list_nano, -corrected, -corrected_nano,
	-allowed, -allowance_nano
FROM usage_costs WHERE kind = 6;

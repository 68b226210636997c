-- A roll-up for what several users share: what a team (kind 2), an org (3) and a whole tenant (5) used, by the group at the time of
-- the request, as ledger.team and ledger.org have it. A user who moves on leaves behind what he used before.
--
-- shard keeps writers apart: every request of a tenant falls into few rows, and two writers with the same row would wait for each
-- other's commit. A writer adds to the rows of its own session's shard; readers sum.
CREATE TABLE usage_shared_daily (
	tenant text COLLATE "C" NOT NULL,
	kind smallint NOT NULL CHECK (kind IN (2, 3, 5)),
	id text COLLATE "C" NOT NULL,
	day date NOT NULL,
	provider text COLLATE "C" NOT NULL,
	model text COLLATE "C" NOT NULL,
	interface text COLLATE "C" NOT NULL,
	shard smallint NOT NULL,
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
	unpriced bigint NOT NULL,
	PRIMARY KEY (tenant, kind, id, day, provider, model, interface, shard)
) WITH (fillfactor = 50);

-- No writer may commit between what is read here and the end of this transaction.
LOCK TABLE ledger, usage_daily IN SHARE MODE;

-- A tenant's users are all in usage_daily, from the first day on.
INSERT INTO usage_shared_daily
SELECT tenant, 5, tenant, day, provider, model, interface, 0, sum(rows), sum(requests), sum(charged_input), sum(charged_output),
	sum(cost_nano), sum(input), sum(cached_input), sum(cache_write), sum(output), sum(reasoning), sum(audio_input),
	sum(audio_output), sum(unpriced)
FROM usage_daily GROUP BY tenant, day, provider, model, interface;

-- Groups stand in the ledger alone: they begin where its retention does.
INSERT INTO usage_shared_daily
SELECT tenant, g.kind, g.id, day, provider, coalesce(nullif(price_model, ''), nullif(model, ''), model_checked), interface, 0,
	count(*), sum(requests), sum(charged_input), sum(charged_output), sum(cost_nano), sum(input), sum(cached_input),
	sum(cache_write), sum(output), sum(reasoning), sum(audio_input), sum(audio_output), sum(flags & 1)
FROM ledger CROSS JOIN LATERAL (VALUES (2::smallint, team), (3::smallint, org)) AS g (kind, id)
WHERE entry <> 2 AND g.id <> ''
GROUP BY tenant, g.kind, g.id, day, provider, 6, interface;

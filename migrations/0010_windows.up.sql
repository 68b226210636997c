-- What an account used in its calendar windows, whatever limits it has: so a limit that is new, renamed or back again is seeded from
-- here before it decides. One row for each window, interface and model; the windows are those of the account's time zone.
--
-- model is the one by which limits count the request. shard keeps the writers of what many users share apart, as in
-- usage_shared_daily; -1 marks a window that a reset began, in which nothing is used.
--
-- The counters by limit of the release before do not say what they counted, so the running windows are summed once from the ledger.
DROP TABLE usage_windows;

CREATE TABLE usage_windows (
	tenant text COLLATE "C" NOT NULL,
	kind smallint NOT NULL,
	id text COLLATE "C" NOT NULL,
	unit smallint NOT NULL CHECK (unit BETWEEN 0 AND 2), -- day week month
	starts_at_us bigint NOT NULL,
	interface text COLLATE "C" NOT NULL,
	model text COLLATE "C" NOT NULL,
	shard smallint NOT NULL,
	requests bigint NOT NULL,
	input bigint NOT NULL,
	output bigint NOT NULL,
	cost_nano bigint NOT NULL,
	PRIMARY KEY (tenant, kind, id, unit, starts_at_us, interface, model, shard)
) WITH (fillfactor = 80);
CREATE INDEX usage_windows_by_start ON usage_windows USING brin (starts_at_us);

-- No writer may commit between what is read here and the end of this transaction.
LOCK TABLE ledger IN SHARE MODE;

WITH known AS (
	SELECT tenant, kind, id, zone FROM accounts WHERE zone IN (SELECT name FROM pg_timezone_names)
), rows AS (
	SELECT l.tenant, g.kind, g.id, coalesce(z.zone, 'UTC') AS zone, l.started_at, l.interface,
		coalesce(nullif(l.price_model, ''), nullif(l.model_checked, ''), l.model) AS model,
		l.requests, l.charged_input, l.charged_output, l.cost_nano
	FROM ledger l CROSS JOIN LATERAL (VALUES (1::smallint, l.user_id), (2::smallint, l.team), (3::smallint, l.org),
		(4::smallint, coalesce(nullif(l.price_model, ''), nullif(l.model_checked, ''), l.model)), (5::smallint, l.tenant)) AS g (kind, id)
	LEFT JOIN known z ON z.tenant = l.tenant AND z.kind = g.kind AND z.id = g.id
	WHERE l.entry <> 2 AND g.id <> '' AND l.day >= current_date - 40
		AND NOT EXISTS (SELECT FROM ledger r WHERE r.tenant = l.tenant AND r.user_id = l.user_id AND r.entry = 2
			AND g.kind = 1 AND r.at > l.at)
)
INSERT INTO usage_windows
SELECT tenant, kind, id, u.unit,
	(extract(epoch FROM date_trunc(u.name, started_at AT TIME ZONE zone) AT TIME ZONE zone) * 1000000)::bigint,
	interface, model, 0, sum(requests), sum(charged_input), sum(charged_output), sum(cost_nano)
FROM rows CROSS JOIN (VALUES (0::smallint, 'day'), (1::smallint, 'week'), (2::smallint, 'month')) AS u (unit, name)
WHERE date_trunc(u.name, started_at AT TIME ZONE zone) = date_trunc(u.name, now() AT TIME ZONE zone)
GROUP BY tenant, kind, id, u.unit, 5, interface, model;

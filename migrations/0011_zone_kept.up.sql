-- The windows that were running when an account's time zone changed: they run to their end. Nine times in microseconds, of day,
-- week and month each: start, end, and the end of the window behind it where that is kept too, else 0; empty where nothing is kept.
-- zone_previous and zone_changed_at_us told less; they stay for bursards of the version before, which may run beside this one's.
ALTER TABLE accounts ADD COLUMN zone_kept_us bigint[] NOT NULL DEFAULT '{}'
	CHECK (cardinality(zone_kept_us) IN (0, 9) AND array_position(zone_kept_us, NULL) IS NULL);

-- Changes whose windows may still run, or the one behind them: a month's, and twice that.
UPDATE accounts a SET zone_kept_us = kept.us FROM (
	SELECT c.tenant, c.kind, c.id, array_agg(edge.us ORDER BY unit.position, edge.position) AS us FROM (
		SELECT tenant, kind, id, to_timestamp(zone_changed_at_us / 1000000) AS changed_at,
			coalesce((SELECT name FROM pg_timezone_names WHERE name = zone_previous), 'UTC') AS previous
		FROM accounts
		WHERE zone_previous <> '' AND zone_previous <> zone
			AND zone_changed_at_us > (extract(epoch FROM now()) * 1000000)::bigint - 100 * 86400000000
	) c
	CROSS JOIN (VALUES (1, 'day'), (2, 'week'), (3, 'month')) AS unit (position, name)
	CROSS JOIN LATERAL (SELECT date_trunc(unit.name, c.changed_at AT TIME ZONE c.previous) AS start) AS local
	CROSS JOIN LATERAL (VALUES
		(1, (extract(epoch FROM local.start AT TIME ZONE c.previous) * 1000000)::bigint),
		(2, (extract(epoch FROM (local.start + ('1 ' || unit.name)::interval) AT TIME ZONE c.previous) * 1000000)::bigint),
		(3, 0)
	) AS edge (position, us)
	GROUP BY c.tenant, c.kind, c.id
) kept WHERE (a.tenant, a.kind, a.id) = (kept.tenant, kept.kind, kept.id);

-- The counters by limit cannot be made from windows that know no limits: they begin empty, and Redis keeps its own.
DROP TABLE usage_windows;
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

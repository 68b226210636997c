-- Limits may count what is not tokens: searches, images, calls, ... (domain/limit/dimensions.h, from cache_storage on).
ALTER TABLE tier_limits DROP CONSTRAINT tier_limits_dimension_check, ADD CHECK (dimension BETWEEN 0 AND 19);
ALTER TABLE account_limits DROP CONSTRAINT account_limits_dimension_check, ADD CHECK (dimension BETWEEN 0 AND 19);

-- What was used of them in the window, {"web_searches": 2}; NULL: nothing, as in nearly all rows.
ALTER TABLE usage_windows ADD COLUMN counted jsonb;

-- Adds the numbers of two objects, name by name.
CREATE FUNCTION jsonb_sums(a jsonb, b jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
	SELECT jsonb_object_agg(key, total) FROM (
		SELECT key, sum(value::bigint) AS total
		FROM (SELECT * FROM jsonb_each_text(a) UNION ALL SELECT * FROM jsonb_each_text(b)) AS e
		GROUP BY key) AS s
$$;

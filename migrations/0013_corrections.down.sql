UPDATE tier_limits SET position = 7 WHERE tenant = '' AND name = 'tokens_per_month' AND tier IN ('free', 'pro', 'enterprise');
INSERT INTO tier_limits (tenant, tier, position, name, dimension, kind, unit, amount, period_us, shadow, notify) VALUES
('', 'free', 6, 'cost_refill', 4, 0, 0, 250000000, 86400000000, false, false),
('', 'pro', 6, 'cost_refill', 4, 0, 0, 5000000000, 86400000000, false, false),
('', 'enterprise', 6, 'cost_refill', 4, 0, 0, 50000000000, 86400000000, false, false);
UPDATE tenants SET epoch = epoch + 1;
CREATE OR REPLACE FUNCTION audit_erase(the_tenant text, the_id text, pseudonym text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	quoted text := to_jsonb(the_id)::text;
	safe text := regexp_replace(the_id, '([^[:alnum:]_])', '\\\1', 'g');
	safe_quoted text := regexp_replace(quoted, '([^[:alnum:]_])', '\\\1', 'g');
	value text := '(: |\[|, )' || safe_quoted || '(?=[],}])';
	word text := '(^|[^[:alnum:]_.@-])' || safe || '(?![[:alnum:]_@-])';
	changed bigint;
BEGIN
	PERFORM set_config('bursar.erasing', 'on', true);
	UPDATE audit_log a SET
		target = CASE WHEN a.target = 'user/' || the_id THEN 'user/' || pseudonym ELSE a.target END,
		reason = CASE WHEN a.target = 'user/' || the_id THEN replace(a.reason, the_id, pseudonym)
			WHEN octet_length(the_id) >= 5 THEN regexp_replace(a.reason, word, '\1' || pseudonym, 'g')
			ELSE a.reason END,
		details = audit_json_erase(a.details, the_id, value, pseudonym),
		before = audit_json_erase(a.before, the_id, value, pseudonym)
	WHERE a.tenant = the_tenant AND (a.target = 'user/' || the_id OR strpos(a.details::text, quoted) > 0
		OR strpos(a.before::text, quoted) > 0 OR (octet_length(the_id) >= 5 AND strpos(a.reason, the_id) > 0));
	GET DIAGNOSTICS changed = ROW_COUNT;
	PERFORM set_config('bursar.erasing', 'off', true);
	RETURN changed;
END $$;
ALTER TABLE ledger DROP COLUMN adjusts;

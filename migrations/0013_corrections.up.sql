-- Adjustments: entry 4 of the ledger corrects what was recorded, or credits or charges an account. Its request_id is the adjustment's
-- own id, its amounts have any sign; `adjusts` is the request that it corrects ('': none), `attempt` the attempt of that.
ALTER TABLE ledger ADD COLUMN adjusts text COLLATE "C" NOT NULL DEFAULT '';

-- As before; of adjustments and cancels of the user's requests the ids go, too: they may be anything.
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
		details = audit_json_erase(CASE WHEN a.target = 'user/' || the_id AND a.action IN ('ledger.adjust', 'reservation.cancel')
			THEN a.details - 'request_id' - 'adjustment_id' ELSE a.details END, the_id, value, pseudonym),
		before = audit_json_erase(a.before, the_id, value, pseudonym)
	WHERE a.tenant = the_tenant AND (a.target = 'user/' || the_id OR strpos(a.details::text, quoted) > 0
		OR strpos(a.before::text, quoted) > 0 OR (octet_length(the_id) >= 5 AND strpos(a.reason, the_id) > 0));
	GET DIAGNOSTICS changed = ROW_COUNT;
	PERFORM set_config('bursar.erasing', 'off', true);
	RETURN changed;
END $$;

-- The shipped tiers had the day's budget once more as a bucket that refills within a day: neither grace nor another daily budget of a
-- user moved it, so it denied what they were to allow. Tiers that tenants have put themselves stay as they are.
DELETE FROM tier_limits WHERE tenant = '' AND name = 'cost_refill' AND tier IN ('free', 'pro', 'enterprise');
UPDATE tier_limits SET position = 6 WHERE tenant = '' AND name = 'tokens_per_month' AND tier IN ('free', 'pro', 'enterprise');
UPDATE tenants SET epoch = epoch + 1;

-- Erasing a user: his id becomes a pseudonym wherever it stands, the sums stay.

-- Versions of accounts that were erased: an account that comes anew under such an id begins above them, so that nobody takes what
-- he remembers of the former one for newer.
ALTER TABLE catalog_epoch ADD COLUMN erased_version bigint NOT NULL DEFAULT 0;

-- Rows of the audit log are only added, except that audit_erase may replace an id in them: when it was, who did it and what he did
-- cannot be changed by anybody.
CREATE OR REPLACE FUNCTION audit_log_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF TG_OP = 'UPDATE' AND current_setting('bursar.erasing', true) = 'on' THEN
		RETURN NULL;
	END IF;
	RAISE EXCEPTION 'audit_log: rows are only added';
END $$;
CREATE FUNCTION audit_log_is_erased() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF (NEW.id, NEW.at, NEW.tenant, NEW.actor, NEW.action) IS DISTINCT FROM (OLD.id, OLD.at, OLD.tenant, OLD.actor, OLD.action) THEN
		RAISE EXCEPTION 'audit_log: rows are only added';
	END IF;
	RETURN NEW;
END $$;
CREATE TRIGGER erased BEFORE UPDATE ON audit_log FOR EACH ROW EXECUTE FUNCTION audit_log_is_erased();

-- Replaces the user's id in the tenant's rows: as target, as a value in the JSON of any row, in reasons of rows about him, and as a
-- word in reasons of other rows where it has five bytes or more (a shorter one may be anybody's word).
CREATE FUNCTION audit_erase(the_tenant text, the_id text, pseudonym text) RETURNS bigint LANGUAGE plpgsql AS $$
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

-- Values that are the id become the pseudonym; what people wrote about an account or a key of his goes.
CREATE FUNCTION audit_json_erase(what jsonb, the_id text, value text, pseudonym text) RETURNS jsonb LANGUAGE sql AS $$
	SELECT regexp_replace(CASE WHEN jsonb_typeof(what) = 'object' AND the_id IN (what->>'id', what->>'account')
		THEN what || CASE WHEN what ? 'suspended_reason' THEN '{"suspended_reason": ""}'::jsonb ELSE '{}' END
			|| CASE WHEN what ? 'label' THEN '{"label": ""}'::jsonb ELSE '{}' END
		ELSE what END::text, value, '\1' || to_jsonb(pseudonym)::text, 'g')::jsonb
$$;

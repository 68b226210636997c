ALTER TABLE alert_channels DROP COLUMN prompt;
CREATE OR REPLACE FUNCTION alert_note_account() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
	suspended_before boolean := coalesce(OLD.suspended, false);
	tier_before text := coalesce(OLD.tier, '');
BEGIN
	IF NOT alerts_live() THEN
		RETURN NULL;
	END IF;
	IF NEW.suspended <> suspended_before THEN
		INSERT INTO alert_notes (tenant, kind, account_kind, account, lifted, subject) VALUES (NEW.tenant, 5, NEW.kind, NEW.id,
			NOT NEW.suspended, NEW.suspended_reason);
	END IF;
	IF NEW.tier <> tier_before THEN
		INSERT INTO alert_notes (tenant, kind, account_kind, account, before, after) VALUES (NEW.tenant, 6, NEW.kind, NEW.id,
			tier_before, NEW.tier);
	END IF;
	-- Limits may have risen above what is used: what has fired is looked at again.
	INSERT INTO alert_due (tenants, kinds, ids) VALUES (ARRAY[NEW.tenant::text], ARRAY[NEW.kind], ARRAY[NEW.id::text]);
	RETURN NULL;
END $$;

DROP FUNCTION audit_erase(text, text, text);
DROP FUNCTION audit_json_erase(jsonb, text, text, text);
DROP TRIGGER erased ON audit_log;
DROP FUNCTION audit_log_is_erased();
CREATE OR REPLACE FUNCTION audit_log_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION 'audit_log: rows are only added';
END $$;
ALTER TABLE catalog_epoch DROP COLUMN erased_version;

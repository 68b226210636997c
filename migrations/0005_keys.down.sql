DROP INDEX audit_log_by_tenant;
ALTER TABLE audit_log DROP COLUMN before;
DROP TABLE api_key_uses;
DROP TRIGGER changed ON api_keys;
DROP INDEX api_keys_by_tenant;
ALTER TABLE api_keys
	DROP CONSTRAINT api_key_user,
	DROP CONSTRAINT api_key_operator,
	DROP CONSTRAINT api_key_role,
	DROP COLUMN rotated_to,
	DROP COLUMN addresses,
	DROP COLUMN interfaces;

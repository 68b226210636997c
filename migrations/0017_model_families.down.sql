-- Settings that are still as 0017 has made them become those that were shipped before; all others keep to their fallback.
UPDATE tenants SET unknown_model = 1, fallback_model = '', epoch = epoch + 1
WHERE id = 'default' AND unknown_model = 4 AND fallback_model = 'anthropic/claude-fable-5'
	AND NOT EXISTS (SELECT FROM audit_log WHERE tenant = 'default' AND action = 'tenant.put' AND target = 'default');
UPDATE tenants SET unknown_model = CASE WHEN fallback_model = '' THEN 1 ELSE 2 END, epoch = epoch + 1 WHERE unknown_model = 4;
ALTER TABLE tenants DROP CONSTRAINT tenants_unknown_model_check, ADD CHECK (unknown_model IN (1, 2, 3));
DELETE FROM model_aliases WHERE tenant = '' AND (alias, provider, model) IN (
	('claude-opus-4', 'anthropic', 'claude-opus-4-0'),
	('claude-sonnet-4', 'anthropic', 'claude-sonnet-4-0'),
	('claude-3-7-sonnet', 'anthropic', 'claude-3-7-sonnet-20250219'),
	('claude-3-5-sonnet', 'anthropic', 'claude-3-5-sonnet-20241022'),
	('claude-3-5-haiku', 'anthropic', 'claude-3-5-haiku-20241022'),
	('claude-3-haiku', 'anthropic', 'claude-3-haiku-20240307'),
	('claude-3-opus', 'anthropic', 'claude-3-opus-20240229'));
DROP TABLE model_families;

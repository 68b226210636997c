-- What to charge for models that have no price. A rule such as gpt-6* names the model whose price is used for all models without one
-- whose names begin like that; such requests are flagged. The tenant's own rules come before the general ones ('').
CREATE TABLE model_families (
	tenant ident NOT NULL DEFAULT '',
	pattern ident NOT NULL CHECK (pattern = lower(pattern) AND pattern ~ '^[^*]+[*]$'),
	from_us bigint NOT NULL DEFAULT 0 CHECK (from_us >= 0), -- of several with one pattern, the newest counts
	provider ident NOT NULL,
	model ident NOT NULL,
	PRIMARY KEY (tenant, pattern, from_us)
);
CREATE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE ON model_families EXECUTE FUNCTION catalog_changed();
CREATE TRIGGER names_changed AFTER INSERT OR UPDATE OR DELETE ON model_families EXECUTE FUNCTION names_changed();

-- A vendor's new models are charged like its largest current one, so that budgets hold until their prices are known.
INSERT INTO model_families (pattern, provider, model) VALUES
	('gpt-*', 'openai', 'gpt-5.6'),
	('text-embedding-*', 'openai', 'text-embedding-3-large'),
	('claude-*', 'anthropic', 'claude-fable-5'),
	('claude-opus-*', 'anthropic', 'claude-opus-5'),
	('claude-sonnet-*', 'anthropic', 'claude-sonnet-4-6'),
	('claude-haiku-*', 'anthropic', 'claude-haiku-4-5'),
	('gemini-*', 'google', 'gemini-3.1-pro-preview'),
	('gemini-embedding-*', 'google', 'gemini-embedding-001'),
	('mistral-*', 'mistral', 'mistral-large-2411'),
	('magistral-*', 'mistral', 'mistral-large-2411'),
	('codestral-*', 'mistral', 'mistral-large-2411'),
	('devstral-*', 'mistral', 'mistral-large-2411'),
	('ministral-*', 'mistral', 'mistral-large-2411'),
	('deepseek-*', 'deepseek', 'deepseek-v4-pro'),
	('grok-*', 'xai', 'grok-4'),
	('command-*', 'cohere', 'command-a-03-2025'),
	('embed-*', 'cohere', 'embed-v4.0');

-- Names that OpenRouter and Bedrock use for models whose vendors write a date.
INSERT INTO model_aliases (alias, provider, model) VALUES
	('claude-opus-4', 'anthropic', 'claude-opus-4-0'),
	('claude-sonnet-4', 'anthropic', 'claude-sonnet-4-0'),
	('claude-3-7-sonnet', 'anthropic', 'claude-3-7-sonnet-20250219'),
	('claude-3-5-sonnet', 'anthropic', 'claude-3-5-sonnet-20241022'),
	('claude-3-5-haiku', 'anthropic', 'claude-3-5-haiku-20241022'),
	('claude-3-haiku', 'anthropic', 'claude-3-haiku-20240307'),
	('claude-3-opus', 'anthropic', 'claude-3-opus-20240229')
ON CONFLICT DO NOTHING;

-- 4: as the family says, else as the fallback model, else refused. Where nobody has decided about the settings of `default`, new models
-- of all vendors now run, flagged and at a high price, instead of being refused.
ALTER TABLE tenants DROP CONSTRAINT tenants_unknown_model_check, ADD CHECK (unknown_model BETWEEN 1 AND 4);
UPDATE tenants SET unknown_model = 4, fallback_model = 'anthropic/claude-fable-5', epoch = epoch + 1
WHERE id = 'default' AND unknown_model = 1 AND fallback_model = ''
	AND NOT EXISTS (SELECT FROM audit_log WHERE tenant = 'default' AND action = 'tenant.put' AND target = 'default');

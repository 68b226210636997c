--
-- Takes 0018 back. What it inserted has its time; prices that an admin has put since then stay, and with them everything of their model.
LOCK TABLE model_prices IN SHARE ROW EXCLUSIVE MODE;

CREATE TABLE price_list_before (LIKE model_prices INCLUDING DEFAULTS);
INSERT INTO price_list_before (provider, model, from_us, to_us, input, output, cached_input, cache_write, reasoning, audio_input, audio_output, context, modes, source) VALUES
@BEFORE@;

-- Models all of whose general prices are from 0002 or from 0018, and some are from 0018.
CREATE TABLE price_list_models AS
SELECT p.provider, p.model FROM model_prices p, (SELECT applied_at FROM schema_migrations WHERE name = 'price_list') m
WHERE p.tenant = '' AND p.account = '' GROUP BY p.provider, p.model
HAVING bool_or(p.created_at = m.applied_at) AND bool_and(p.created_at = m.applied_at OR EXISTS (
	SELECT FROM price_list_before b WHERE b.provider = p.provider AND b.model = p.model
	AND (b.input, b.output, b.cached_input, b.cache_write, b.reasoning, b.audio_input, b.audio_output, b.context, b.modes)
	IS NOT DISTINCT FROM (p.input, p.output, p.cached_input, p.cache_write, p.reasoning, p.audio_input, p.audio_output, p.context, p.modes)));

DELETE FROM model_prices p USING price_list_models m
WHERE p.tenant = '' AND p.account = '' AND p.provider = m.provider AND p.model = m.model;

INSERT INTO model_prices (provider, model, from_us, to_us, input, output, cached_input, cache_write, reasoning, audio_input, audio_output, context, modes, source)
SELECT provider, model, from_us, to_us, input, output, cached_input, cache_write, reasoning, audio_input, audio_output, context, modes, source FROM price_list_before b
WHERE EXISTS (SELECT FROM price_list_models m WHERE m.provider = b.provider AND m.model = b.model);

DROP TABLE price_list_before, price_list_models;

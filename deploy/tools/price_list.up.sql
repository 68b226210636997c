--
-- Replaces the prices of 0002 by deploy/data/model_prices.csv. A model's general prices follow if all of them are still as 0002 shipped
-- them; those of a model that an admin has changed, ended or added to stay as they are, and so do all prices of tenants and accounts.
-- Where nothing has been charged yet, the list simply takes the place of the old one. Else history stays: the price that was in force ends
-- where the new one begins, which is the day that the list gives, or now.
LOCK TABLE model_prices IN SHARE ROW EXCLUSIVE MODE;

CREATE TABLE price_list_before (LIKE model_prices INCLUDING DEFAULTS);
INSERT INTO price_list_before (provider, model, from_us, to_us, input, output, cached_input, cache_write, reasoning, audio_input, audio_output, context, modes, source) VALUES
@BEFORE@;

CREATE TABLE price_list_after (LIKE model_prices INCLUDING DEFAULTS);
INSERT INTO price_list_after (provider, model, from_us, to_us, input, output, cached_input, cache_write, reasoning, audio_input, audio_output, context, modes, source, more) VALUES
@AFTER@;

-- Models that are not, or no longer, as shipped.
DELETE FROM price_list_after n WHERE EXISTS (
	SELECT FROM model_prices p WHERE p.tenant = '' AND p.account = '' AND p.provider = n.provider AND p.model = n.model
	AND NOT EXISTS (
		SELECT FROM price_list_before b WHERE b.provider = p.provider AND b.model = p.model
		AND (b.from_us, b.to_us, b.source, b.more) = (p.from_us, p.to_us, p.source, p.more)
		AND (b.input, b.output, b.cached_input, b.cache_write, b.reasoning, b.audio_input, b.audio_output, b.context, b.modes)
		IS NOT DISTINCT FROM (p.input, p.output, p.cached_input, p.cache_write, p.reasoning, p.audio_input, p.audio_output, p.context, p.modes)));

-- Nothing has been charged: no history to keep.
DELETE FROM model_prices p USING (SELECT DISTINCT provider, model FROM price_list_after) n
WHERE p.tenant = '' AND p.account = '' AND p.provider = n.provider AND p.model = n.model AND NOT EXISTS (SELECT FROM ledger)
AND NOT EXISTS (SELECT FROM usage_daily);

-- Models with prices, with the moment from which the list's are to be in force; NULL: they are the same already.
CREATE TABLE price_list_cut AS
SELECT n.provider, n.model, n.source,
	CASE WHEN p.to_us = n.to_us AND p.more = n.more AND (p.input, p.output, p.cached_input, p.cache_write, p.reasoning, p.audio_input, p.audio_output, p.context, p.modes)
		IS NOT DISTINCT FROM (n.input, n.output, n.cached_input, n.cache_write, n.reasoning, n.audio_input, n.audio_output, n.context, n.modes) THEN NULL
	ELSE greatest(n.from_us, CASE WHEN n.from_us = 0 THEN t.now_us ELSE 0 END) END AS cut_us
FROM (SELECT (extract(epoch FROM now()) * 1000000)::bigint AS now_us) t, price_list_after n JOIN model_prices p
ON p.tenant = '' AND p.account = '' AND p.provider = n.provider AND p.model = n.model
WHERE n.from_us <= t.now_us AND (n.to_us = 0 OR n.to_us > t.now_us) AND p.from_us <= t.now_us AND (p.to_us = 0 OR p.to_us > t.now_us);

INSERT INTO price_list_cut SELECT DISTINCT provider, model, '', 0 FROM price_list_after n WHERE NOT EXISTS (
	SELECT FROM model_prices p WHERE p.tenant = '' AND p.account = '' AND p.provider = n.provider AND p.model = n.model);

UPDATE model_prices p SET source = c.source FROM price_list_cut c
WHERE c.cut_us IS NULL AND p.tenant = '' AND p.account = '' AND p.provider = c.provider AND p.model = c.model
AND p.from_us <= (extract(epoch FROM now()) * 1000000)::bigint AND (p.to_us = 0 OR p.to_us > (extract(epoch FROM now()) * 1000000)::bigint);

DELETE FROM model_prices p USING price_list_cut c
WHERE p.tenant = '' AND p.account = '' AND p.provider = c.provider AND p.model = c.model AND p.from_us >= c.cut_us;

UPDATE model_prices p SET to_us = c.cut_us FROM price_list_cut c
WHERE c.cut_us IS NOT NULL AND p.tenant = '' AND p.account = '' AND p.provider = c.provider AND p.model = c.model AND (p.to_us = 0 OR p.to_us > c.cut_us);

INSERT INTO model_prices (provider, model, from_us, to_us, input, output, cached_input, cache_write, reasoning, audio_input, audio_output, context, modes, source, more)
SELECT n.provider, n.model, greatest(n.from_us, c.cut_us), n.to_us, n.input, n.output, n.cached_input, n.cache_write, n.reasoning, n.audio_input, n.audio_output, n.context, n.modes, n.source, n.more
FROM price_list_after n JOIN price_list_cut c ON c.provider = n.provider AND c.model = n.model
WHERE c.cut_us IS NOT NULL AND (n.to_us = 0 OR n.to_us > c.cut_us);

DROP TABLE price_list_before, price_list_after, price_list_cut;

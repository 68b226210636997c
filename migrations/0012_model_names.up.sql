-- Limits and accounts of models go by the model that a name is resolved to by prices and aliases. `names` is raised by whatever may
-- change that and is part of every tenant's epoch, so that records follow; it begins above 0, because until now records have gone by
-- names as they were written. Names are resolved as of names_at_us, which follows the clock past the ends and beginnings of prices.
ALTER TABLE catalog_epoch
	ADD COLUMN names bigint NOT NULL DEFAULT 1,
	ADD COLUMN names_at_us bigint NOT NULL DEFAULT 0;
UPDATE catalog_epoch SET names_at_us = (extract(epoch FROM now()) * 1000000)::bigint;

CREATE FUNCTION names_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	UPDATE catalog_epoch SET names = names + 1;
	RETURN NULL;
END $$;
CREATE TRIGGER names_changed AFTER INSERT OR UPDATE OR DELETE ON model_prices EXECUTE FUNCTION names_changed();
CREATE TRIGGER names_changed AFTER INSERT OR UPDATE OR DELETE ON model_aliases EXECUTE FUNCTION names_changed();
-- A model without a price is a model of its own once it has an account.
CREATE TRIGGER names_added AFTER INSERT ON accounts FOR EACH ROW WHEN (NEW.kind = 4) EXECUTE FUNCTION names_changed();
CREATE TRIGGER names_removed AFTER DELETE ON accounts FOR EACH ROW WHEN (OLD.kind = 4) EXECUTE FUNCTION names_changed();

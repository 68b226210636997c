DROP TRIGGER names_removed ON accounts;
DROP TRIGGER names_added ON accounts;
DROP TRIGGER names_changed ON model_aliases;
DROP TRIGGER names_changed ON model_prices;
DROP FUNCTION names_changed();
-- Records must follow back: they have an epoch that was the sum.
UPDATE tenants SET epoch = epoch + (SELECT names FROM catalog_epoch) + 1;
ALTER TABLE catalog_epoch DROP COLUMN names_at_us, DROP COLUMN names;

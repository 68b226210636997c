DROP TABLE usage_meters;
ALTER TABLE ledger DROP COLUMN provider_cost_nano;
ALTER TABLE ledger DROP COLUMN meters;
ALTER TABLE model_prices DROP COLUMN more;

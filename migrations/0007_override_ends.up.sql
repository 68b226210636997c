-- When an account's own limit ends; 0: it has no end. The ledger role takes it away then, as an admin would.
ALTER TABLE account_limits ADD COLUMN until_us bigint NOT NULL DEFAULT 0 CHECK (until_us >= 0);
CREATE INDEX account_limits_by_end ON account_limits (until_us) WHERE until_us > 0;

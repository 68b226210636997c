-- Lists and bulk changes of accounts: each filter that is used alone has an index in the order of ids.
CREATE INDEX accounts_by_team ON accounts (tenant, kind, team, id) WHERE team <> '';
CREATE INDEX accounts_by_org ON accounts (tenant, kind, org, id) WHERE org <> '';
CREATE INDEX accounts_suspended ON accounts (tenant, kind, id) WHERE suspended;
CREATE INDEX accounts_bypassed ON accounts (tenant, kind, id) WHERE bypass;
CREATE INDEX accounts_deleted ON accounts (tenant, kind, id) WHERE deleted;
CREATE INDEX accounts_in_grace ON accounts (tenant, kind, id) WHERE grace_until_us > 0;

-- When the ledger role looks at a change again: at once; after a moment's head start for who makes many of them; and with growing
-- pauses for a change of which Redis has no record, and for one that fails.
ALTER TABLE policy_changes ADD COLUMN repeat_at timestamptz NOT NULL DEFAULT now();

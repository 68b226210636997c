-- API keys: where they may be used, what became of them, and when they were used last.
ALTER TABLE api_keys
	ADD COLUMN interfaces text[] NOT NULL DEFAULT '{}', -- only requests from these; empty: any
	ADD COLUMN addresses text[] NOT NULL DEFAULT '{}',  -- only callers from these networks (CIDR); empty: any
	ADD COLUMN rotated_to bigint,                       -- the key that took over
	ADD CONSTRAINT api_key_role CHECK (role BETWEEN 1 AND 5),
	ADD CONSTRAINT api_key_operator CHECK ((role = 5) = (tenant = '')),
	ADD CONSTRAINT api_key_user CHECK ((role = 1) = (account <> ''));
CREATE INDEX api_keys_by_tenant ON api_keys (tenant, id);
-- Workers keep all keys that count in memory, like the rest of the catalog.
CREATE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE ON api_keys EXECUTE FUNCTION catalog_changed();

-- Apart from the keys: a key's use is no change of the catalog.
CREATE TABLE api_key_uses (
	key bigint PRIMARY KEY REFERENCES api_keys ON DELETE CASCADE,
	at timestamptz NOT NULL,
	peer text NOT NULL
) WITH (fillfactor = 80);

-- What `details` was before: JSON null for what is new, or was shipped and never changed.
ALTER TABLE audit_log ADD COLUMN before jsonb NOT NULL DEFAULT 'null';
CREATE INDEX audit_log_by_tenant ON audit_log (tenant, id);

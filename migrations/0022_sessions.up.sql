-- Logins to the dashboard. A session is not stored: its text carries the signature of the bursard that made it.

-- The public keys of the bursards that may have signed a session that still lasts. Their secret keys exist in their memory only, so
-- nobody can make a session from what is in this database.
CREATE TABLE session_signers (
	public_key bytea PRIMARY KEY CHECK (octet_length(public_key) = 32),
	made_at timestamptz NOT NULL DEFAULT now()
);
CREATE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE ON session_signers EXECUTE FUNCTION catalog_changed();

-- Codes that begin a session of their key, once.
CREATE TABLE logins (
	hash bytea PRIMARY KEY, -- SHA-256 of the code, which has 256 random bits
	key bigint NOT NULL REFERENCES api_keys ON DELETE CASCADE,
	expires_at timestamptz NOT NULL
);
CREATE INDEX logins_by_key ON logins (key, expires_at);
CREATE INDEX logins_by_end ON logins (expires_at);

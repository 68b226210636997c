-- Tenants' own templates of the sentences for users. Codes and placeholders are checked by the server; a code that it does not know is
-- left out when it loads them.
CREATE TABLE texts (
	tenant ident NOT NULL,
	code text COLLATE "C" NOT NULL CHECK (octet_length(code) BETWEEN 1 AND 31),
	language text COLLATE "C" NOT NULL CHECK (octet_length(language) BETWEEN 1 AND 15),
	text text NOT NULL CHECK (octet_length(text) BETWEEN 1 AND 600),
	updated_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (tenant, code, language)
);
CREATE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE ON texts EXECUTE FUNCTION catalog_changed();

-- New models of these vendors are charged like the largest current one of the list that 0018 brought. A rule that an admin has put stays.
UPDATE model_families f SET model = n.model
FROM (VALUES
	('gpt-*', 'openai', 'gpt-5.6', 'gpt-6-astra'),
	('gemini-*', 'google', 'gemini-3.1-pro-preview', 'gemini-4-argon'),
	('gemini-embedding-*', 'google', 'gemini-embedding-001', 'gemini-embedding-2')
) AS n (pattern, provider, was, model)
WHERE f.tenant = '' AND f.pattern = n.pattern AND f.from_us = 0 AND f.provider = n.provider AND f.model = n.was;

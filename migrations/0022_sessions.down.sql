DROP TABLE logins;
DROP TABLE session_signers;

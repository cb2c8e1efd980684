-- Tables of the database reference, in the database of the service that it is compared with. The log is made like the
-- service's own, indices included, so that both stay alike.
CREATE SCHEMA reference;
CREATE TABLE reference.acts (LIKE casework.acts INCLUDING ALL);
CREATE TABLE reference.states (
  district text NOT NULL, subject text NOT NULL, version bigint NOT NULL, head bytea NOT NULL, body bytea NOT NULL,
  PRIMARY KEY (district, subject));
-- A hundred states for each of 64 clients.
INSERT INTO reference.states
  SELECT 'bench-' || (n / 100) % 8, 'cases/00000000-0000-7000-8000-' || lpad(n::text, 12, '0'), 0, sha256(''), ''
  FROM generate_series(0, 6399) AS n;
ANALYZE reference.states;

-- The database reference: what a command must do at the least, as five statements of one transaction. It reads a state,
-- appends an act with its request and its hashes, and changes the state if it still has the version that was read. Act and
-- state are as long as those of a case that is opened.
-- reference.acts has the columns and the indices of the service's own log; see reference-tables.sql. Every client has a
-- hundred states of its own, so that no client waits for another's row.
\set district :client_id % 8
\set subject :client_id * 100 + random(0, 99)
BEGIN;
SELECT version, head FROM reference.states
  WHERE district = 'bench-' || :district::text AND subject = 'cases/00000000-0000-7000-8000-' || lpad(:subject::text, 12, '0') \gset
INSERT INTO reference.acts (district, subject, number, kind, payload, acted_at_us, actor, actor_site, is_demonstration, caller,
    method, request_id, request_digest, previous_hash, hash)
  VALUES ('bench-' || :district::text, 'cases/00000000-0000-7000-8000-' || lpad(:subject::text, 12, '0'), :version::bigint + 1,
    'case_opened', convert_to(repeat('x', 300), 'UTF8'), (extract(epoch FROM now()) * 1000000)::bigint, 'agent-0-0',
    'town-centre', false, 'agent-0-0', 'bangban.casework.v1.OpenCaseRequest', gen_random_uuid()::text,
    sha256(:head::bytea), :head::bytea, sha256(:head::bytea));
UPDATE reference.states SET version = version + 1, head = sha256(:head::bytea), body = convert_to(repeat('y', 300), 'UTF8')
  WHERE district = 'bench-' || :district::text AND subject = 'cases/00000000-0000-7000-8000-' || lpad(:subject::text, 12, '0')
    AND version = :version::bigint;
COMMIT;

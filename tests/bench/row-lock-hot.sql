-- The way most systems book, on one slot that everybody wants: the slot's row is locked, what is taken is read and counted up, the
-- booking is written, all in one transaction of PostgreSQL. Nothing is held before, and nothing is kept of who did what.
\set slot 0
BEGIN;
SELECT capacity, taken FROM row_lock.slots WHERE id = :slot FOR UPDATE \gset
\set is_free :capacity > :taken
\if :is_free
INSERT INTO row_lock.bookings (id, slot, applicant, booked_at, body)
  VALUES (gen_random_uuid(), :slot, gen_random_uuid(), now(), convert_to(repeat('x', 300), 'UTF8'));
UPDATE row_lock.slots SET taken = taken + 1 WHERE id = :slot;
\endif
COMMIT;

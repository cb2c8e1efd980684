-- Tables of the way most systems book, in the database of the measurement: slots that count what is taken, and bookings.
CREATE SCHEMA row_lock;
CREATE TABLE row_lock.slots (
  id integer PRIMARY KEY, capacity integer NOT NULL, taken integer NOT NULL CHECK (taken BETWEEN 0 AND capacity));
CREATE TABLE row_lock.bookings (
  id uuid PRIMARY KEY, slot integer NOT NULL, applicant uuid NOT NULL, booked_at timestamptz NOT NULL, body bytea NOT NULL);
CREATE INDEX bookings_slot ON row_lock.bookings (slot);
CREATE INDEX bookings_applicant ON row_lock.bookings (applicant);
INSERT INTO row_lock.slots SELECT n, 1000000, 0 FROM generate_series(0, 999) AS n;
ANALYZE row_lock.slots;

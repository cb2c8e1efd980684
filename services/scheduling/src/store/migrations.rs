//! Migrations, oldest first. Each is one transaction on both databases.

use bangban_store::tables::{Uncounted, leave_room};
use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

/// All of them.
#[derive(Debug)]
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(Scheduling),
            Box::new(Plans),
            Box::new(Rules),
            Box::new(Unruled),
            Box::new(Fence),
            Box::new(Light),
            Box::new(Uncounted {
                name: "m0007_uncounted",
                of: &[
                    (
                        "seats",
                        &[
                            "version",
                            "booking",
                            "mask",
                            "groups",
                            "holder",
                            "item",
                            "held_us",
                            "extensions",
                            "is_assisted",
                            "is_reserved",
                            "waiting",
                            "hold_digest",
                            "last_key",
                            "held_epoch",
                        ],
                    ),
                    (
                        "persons",
                        &[
                            "version", "is_known", "known_us", "mask", "groups", "number", "head",
                            "body",
                        ],
                    ),
                    (
                        "bookings",
                        &["version", "head", "seat_id", "verdict", "body"],
                    ),
                ],
            }),
            Box::new(Beside),
            Box::new(Counted),
            Box::new(Over),
        ]
    }
}

struct Scheduling;

impl MigrationName for Scheduling {
    fn name(&self) -> &'static str {
        "m0001_scheduling"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Scheduling {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        bangban_store::tables::create_common(manager).await?;
        bangban_learned::revision::create(manager).await?;
        // Ids of slots and seats begin with site and day: in byte order a day's lie together.
        let (bytes, by_bytes) = match manager.get_database_backend() {
            DbBackend::Postgres => ("bytea", "COLLATE \"C\""),
            _ => ("blob", ""),
        };
        for statement in [
            // Templates, exceptions and publication of a site; the district's policy under the id of no site.
            format!(
                "CREATE TABLE capacity (
                    district text NOT NULL, id text NOT NULL, version bigint NOT NULL, head {bytes} NOT NULL,
                    publish_at_us bigint, body {bytes} NOT NULL, PRIMARY KEY (district, id))"
            ),
            "CREATE INDEX capacity_publish ON capacity (publish_at_us) WHERE publish_at_us IS NOT NULL".to_owned(),
            format!(
                "CREATE TABLE days (
                    district text NOT NULL, id text {by_bytes} NOT NULL, version bigint NOT NULL, head {bytes} NOT NULL,
                    site text NOT NULL, date text NOT NULL, care_until_us bigint, lift_at_us bigint,
                    body {bytes} NOT NULL, PRIMARY KEY (district, id))"
            ),
            "CREATE INDEX days_care ON days (care_until_us) WHERE care_until_us IS NOT NULL".to_owned(),
            "CREATE INDEX days_lift ON days (lift_at_us) WHERE lift_at_us IS NOT NULL".to_owned(),
            "CREATE INDEX days_date ON days (date)".to_owned(),
            format!(
                "CREATE TABLE slots (
                    district text NOT NULL, id text {by_bytes} NOT NULL, version bigint NOT NULL, number integer NOT NULL,
                    grp text NOT NULL, region text NOT NULL, starts_us bigint NOT NULL, ends_us bigint NOT NULL,
                    capacity integer NOT NULL, reserved integer NOT NULL, reserved_until_us bigint,
                    is_closed integer NOT NULL, PRIMARY KEY (district, id))"
            ),
            // One row for each seat that was ever used: the key is what makes overbooking impossible.
            format!(
                "CREATE TABLE seats (
                    district text NOT NULL, id text {by_bytes} NOT NULL, version bigint NOT NULL, state integer NOT NULL,
                    booking text NOT NULL, applicant text NOT NULL, mask text NOT NULL, groups text NOT NULL,
                    holder text NOT NULL, item text NOT NULL, starts_us bigint NOT NULL, ends_us bigint NOT NULL,
                    held_us bigint NOT NULL, due_us bigint, extensions integer NOT NULL, is_assisted integer NOT NULL,
                    is_reserved integer NOT NULL, waiting text NOT NULL, hold_key text NOT NULL, hold_digest text NOT NULL,
                    last_key text NOT NULL,
                    PRIMARY KEY (district, id))"
            ),
            "CREATE INDEX seats_applicant ON seats (district, applicant)".to_owned(),
            "CREATE UNIQUE INDEX seats_request ON seats (hold_key) WHERE hold_key <> ''".to_owned(),
            "CREATE INDEX seats_due ON seats (due_us) WHERE due_us IS NOT NULL".to_owned(),
            // What directory said of a person, until its feed says that it changed, and how appointments were kept.
            format!(
                "CREATE TABLE persons (
                    district text NOT NULL, id text NOT NULL, version bigint NOT NULL, is_known integer NOT NULL,
                    known_us bigint NOT NULL, mask text NOT NULL, groups text NOT NULL, number bigint NOT NULL,
                    head {bytes} NOT NULL, body {bytes} NOT NULL, PRIMARY KEY (district, id))"
            ),
            format!(
                "CREATE TABLE bookings (
                    district text NOT NULL, id text NOT NULL, version bigint NOT NULL, head {bytes} NOT NULL,
                    state integer NOT NULL, site text NOT NULL, region text NOT NULL, booked_by text NOT NULL,
                    booked_site text NOT NULL, applicant text NOT NULL, consultation text NOT NULL,
                    case_id text NOT NULL, seat_id text {by_bytes} NOT NULL, starts_us bigint NOT NULL,
                    verdict integer NOT NULL, due_us bigint, body {bytes} NOT NULL,
                    PRIMARY KEY (district, id))"
            ),
            "CREATE INDEX bookings_starts ON bookings (district, starts_us, id)".to_owned(),
            "CREATE INDEX bookings_applicant ON bookings (district, applicant)".to_owned(),
            "CREATE INDEX bookings_due ON bookings (due_us) WHERE due_us IS NOT NULL".to_owned(),
            "CREATE INDEX bookings_consultation ON bookings (district, consultation) WHERE consultation <> ''".to_owned(),
            "CREATE INDEX bookings_case ON bookings (district, case_id) WHERE case_id <> ''".to_owned(),
            format!(
                "CREATE TABLE waiting (
                    district text NOT NULL, id text NOT NULL, version bigint NOT NULL, head {bytes} NOT NULL,
                    state integer NOT NULL, site text NOT NULL, region text NOT NULL, grp text NOT NULL,
                    item text NOT NULL, applicant text NOT NULL, priority integer NOT NULL, joined_us bigint NOT NULL,
                    joined_by text NOT NULL, joined_site text NOT NULL, until_on text NOT NULL, due_us bigint,
                    body {bytes} NOT NULL, PRIMARY KEY (district, id))"
            ),
            "CREATE INDEX waiting_order ON waiting (district, site, grp, state, priority, joined_us, id)".to_owned(),
            // One place for a person, group and item while it lasts: 1 and 2 are WAITING and OFFERED.
            "CREATE UNIQUE INDEX waiting_once ON waiting (district, site, grp, item, applicant) WHERE state IN (1, 2)"
                .to_owned(),
            // Which Redis is believed (docs/decisions/0009-the-gate.md), and how often capacity has changed.
            "CREATE TABLE gate (id integer PRIMARY KEY, generation bigint NOT NULL, revision bigint NOT NULL)".to_owned(),
            "INSERT INTO gate (id, generation, revision) VALUES (1, 0, 0)".to_owned(),
        ] {
            manager.get_connection().execute_unprepared(&statement).await?;
        }
        Ok(())
    }
}

/// Published days remember by which plan, and what changes of directory's plans are to be carried out.
struct Plans;

impl MigrationName for Plans {
    fn name(&self) -> &'static str {
        "m0002_plans"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Plans {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let bytes = match manager.get_database_backend() {
            DbBackend::Postgres => "bytea",
            _ => "blob",
        };
        for statement in [
            // The slots by which a day was planned last; none for one that was published before.
            format!("ALTER TABLE days ADD COLUMN planned {bytes}"),
            // The number of the last change: who planned by what stood before it decides again.
            "ALTER TABLE gate ADD COLUMN plan_changes bigint NOT NULL DEFAULT 0".to_owned(),
            // Those that are not carried out everywhere, and behind which site they are; an empty district or site is all.
            "CREATE TABLE plan_changes (
                number bigint PRIMARY KEY, district text NOT NULL, site text NOT NULL, first text NOT NULL,
                last text NOT NULL, reason text NOT NULL, is_ready integer NOT NULL, behind_district text NOT NULL,
                behind_site text NOT NULL)"
                .to_owned(),
        ] {
            manager.get_connection().execute_unprepared(&statement).await?;
        }
        Ok(())
    }
}

/// Bookings remember by which rules their due time was counted.
struct Rules;

impl MigrationName for Rules {
    fn name(&self) -> &'static str {
        "m0003_rules"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Rules {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for statement in [
            // The version of the district's policy.
            "ALTER TABLE bookings ADD COLUMN ruled_by bigint NOT NULL DEFAULT 0",
            // Districts with a new policy whose bookings are looked at until then.
            "CREATE TABLE rule_changes (district text PRIMARY KEY, version bigint NOT NULL, until_us bigint NOT NULL)",
        ] {
            manager
                .get_connection()
                .execute_unprepared(statement)
                .await?;
        }
        Ok(())
    }
}

/// Bookings that were written before rules were remembered do not say what is due next: the sweep counts them anew, as
/// when their district has new rules.
struct Unruled;

impl MigrationName for Unruled {
    fn name(&self) -> &'static str {
        "m0004_unruled"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Unruled {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for statement in [
            // Older than a district without a policy, whose bookings have 0.
            "UPDATE bookings SET ruled_by = -1 WHERE ruled_by = 0 AND due_us IS NOT NULL",
            "INSERT INTO rule_changes (district, version, until_us) \
             SELECT DISTINCT b.district, COALESCE(c.version, 0), 0 FROM bookings b \
             LEFT JOIN capacity c ON c.district = b.district AND c.id = '' WHERE b.ruled_by = -1 \
             ON CONFLICT (district) DO NOTHING",
        ] {
            manager
                .get_connection()
                .execute_unprepared(statement)
                .await?;
        }
        Ok(())
    }
}

/// Seats remember under which epoch their hold began: who names an older one has held the seat before.
struct Fence;

impl MigrationName for Fence {
    fn name(&self) -> &'static str {
        "m0005_fence"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Fence {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let added = "ALTER TABLE seats ADD COLUMN held_epoch bigint NOT NULL DEFAULT 0";
        let db = manager.get_connection();
        db.execute_unprepared(added).await.map(|_| ())
    }
}

/// Taking a seat costs as little as it can: no index that no question asks, and room for a person's row beside the old one.
struct Light;

impl MigrationName for Light {
    fn name(&self) -> &'static str {
        "m0006_light"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Light {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        db.execute_unprepared("DROP INDEX acts_kind").await?;
        leave_room(manager, "persons").await
    }
}

/// A hold becomes an appointment beside its old row: no index names what changes, and there is room in each page. When a seat
/// that cools is free has a column of its own, and when a hold has ended stays where it is.
struct Beside;

impl MigrationName for Beside {
    fn name(&self) -> &'static str {
        "m0008_beside"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Beside {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        for statement in [
            "ALTER TABLE seats ADD COLUMN free_us bigint",
            "UPDATE seats SET free_us = due_us, due_us = NULL WHERE state = 3",
            "CREATE INDEX seats_free ON seats (free_us) WHERE free_us IS NOT NULL",
        ] {
            db.execute_unprepared(statement).await?;
        }
        leave_room(manager, "seats").await
    }
}

/// The gate's row tells until when somebody has looked for holds that have ended, and how often anything was learned of
/// districts. The database counts the latter, whichever release has learned it. Apart from the change of seats: nobody who
/// reads both tables waits for both.
struct Counted;

impl MigrationName for Counted {
    fn name(&self) -> &'static str {
        "m0009_counted"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Counted {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        for column in ["swept_us", "learned"] {
            let sql = format!("ALTER TABLE gate ADD COLUMN {column} bigint NOT NULL DEFAULT 0");
            db.execute_unprepared(&sql).await?;
        }
        // SQLite goes by nothing that it remembers.
        if manager.get_database_backend() == DbBackend::Postgres {
            for statement in [
                "CREATE FUNCTION something_is_learned() RETURNS trigger LANGUAGE plpgsql AS $$
                 BEGIN
                     EXECUTE format('UPDATE %I.gate SET learned = learned + 1 WHERE id = 1', TG_TABLE_SCHEMA);
                     RETURN NULL;
                 END $$",
                "CREATE TRIGGER learned_is_counted AFTER INSERT OR UPDATE OR DELETE ON learned
                 FOR EACH STATEMENT EXECUTE FUNCTION something_is_learned()",
            ] {
                db.execute_unprepared(statement).await?;
            }
        }
        Ok(())
    }
}

/// Places of the waiting list whose last day is over are found without looking at all that there are.
struct Over;

impl MigrationName for Over {
    fn name(&self) -> &'static str {
        "m0010_over"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Over {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let found = "CREATE INDEX waiting_due ON waiting (due_us) WHERE due_us IS NOT NULL";
        let db = manager.get_connection();
        db.execute_unprepared(found).await.map(|_| ())
    }
}

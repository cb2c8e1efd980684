//! A Cluster one of whose masters is away, and has no replica (BB-9.2b): who wants its days is told to try again, and those of
//! the others are served as ever.

use std::time::{Duration, Instant};

use bangban_proto::bangban::scheduling::v1;
use bangban_rig::Cluster;
use bangban_slots::Day;
use chrono::NaiveDate;

use super::{
    ask::{published, release},
    double::Directory,
    world::{DISTRICT, LI_NA, SITE, World, database, numbers, reason, slot},
};

/// More than the sweep reads at once.
const GIVEN_UP: usize = 210;

/// Within which it is known that a master is away, and the others are found.
const WITHIN: Duration = Duration::from_secs(60);

/// What was asked once it is answered so.
async fn at_last<T>(what: &str, asked: impl AsyncFn() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(told) = asked().await {
            return told;
        }
        assert!(began.elapsed() < WITHIN, "{what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// The days of these two, as far as anybody knows what is free.
async fn known(world: &World, mut days: [NaiveDate; 2]) -> Vec<(NaiveDate, Option<u32>)> {
    days.sort_unstable();
    let request = v1::GetAvailabilityRequest {
        district: DISTRICT.to_owned(),
        sites: vec![SITE.to_owned()],
        from: days[0].to_string(),
        to: days[1].to_string(),
        ..v1::GetAvailabilityRequest::default()
    };
    let answer = world
        .booking()
        .get_availability(world.by(&LI_NA, request))
        .await;
    let told = answer.expect("answered").into_inner().days;
    let of = |date: NaiveDate| told.iter().find(|day| day.date == date.to_string());
    let free = |day: &v1::DayAvailability| day.slots.first().map(|slot| slot.free);
    days.map(|date| {
        let day = of(date).expect("a day");
        (date, free(day).filter(|_| day.is_known))
    })
    .into()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_9_2b_a_master_that_is_away_takes_its_days_with_it_and_not_those_of_the_others() {
    let mut cluster = Cluster::start();
    let url = database("partly").await;
    let url = url.unwrap_or_else(|| "sqlite".to_owned());
    let world = World::open_as(url, cluster.url(), Directory::default()).await;
    world.without_cooling().await;
    world.template(60, 0).await;
    let (first, last) = (world.working_day(0).await, world.working_day(8).await);
    let days = published(&world, SITE, (first, last)).await;
    let of_master = |is_second: bool| {
        let is_its = |date: &NaiveDate| {
            let day = Day::new(DISTRICT, SITE, *date).expect("a day");
            (cluster.whose(day.key()) == 1) == is_second
        };
        let mut dates = days.iter().map(|date| date.parse().expect("a date"));
        dates.find(is_its).expect("a day on each")
    };
    let (away, there) = (of_master(true), of_master(false));

    let person = world.person(&[]);
    let given_up = async |date, number: usize| {
        let slot = slot(date, u16::try_from(number % 4).expect("a slot"));
        let hold = at_last("a seat", async || world.hold(&slot, &person).await.ok()).await;
        let released = release(&world, &LI_NA, &hold).await;
        released.expect("released");
    };
    for number in 0..GIVEN_UP {
        given_up(away, number).await;
    }
    cluster.masters[1].kill();
    given_up(there, 0).await;
    world.sweep().await;
    let expected = |date| (date == there).then_some(60);
    let what = "all that is free on the day that is there, and nothing of the other";
    at_last(what, async || {
        // Where the others have to be found first, the seat comes back a moment later.
        world.sweep().await;
        let known = known(&world, [away, there]).await;
        known
            .iter()
            .all(|(date, free)| *free == expected(*date))
            .then_some(())
    })
    .await;
    let cool = "SELECT CAST(count(*) AS bigint) FROM seats WHERE state = 3".to_owned();
    let waiting = i64::try_from(GIVEN_UP).expect("some");
    assert_eq!(
        numbers(&world, cool, 1).await,
        [waiting],
        "until it is told"
    );
    let refused = world.hold(&slot(away, 0), &person).await;
    assert_eq!(reason(refused), "GATE_UNAVAILABLE");
}

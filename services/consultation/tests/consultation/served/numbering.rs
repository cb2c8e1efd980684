use futures::future::join_all;

use super::world::{LI_NA, WANG_WEI, changed, worlds};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_10_1_1c_fifty_contacts_at_once_get_fifty_numbers_without_a_gap() {
    for world in worlds("numbers").await {
        let registrations = (0..50).map(|n| {
            let world = &world;
            async move {
                let who = if n % 2 == 0 { &LI_NA } else { &WANG_WEI };
                let request = world.by(who, world.contact());
                let answered = world.client().register_consultation(request).await;
                changed(answered.expect("registered")).number
            }
        });
        let mut numbers = join_all(registrations).await;
        numbers.sort_unstable();
        assert_eq!(numbers, (1..=50).collect::<Vec<u64>>());
        assert_eq!(world.registered().await.number, 51);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_request_that_comes_many_times_at_once_is_one_contact() {
    for world in worlds("once").await {
        let contact = world.contact();
        let tries = (0..8).map(|_| {
            let request = world.by(&LI_NA, contact.clone());
            let mut client = world.client();
            async move {
                changed(
                    client
                        .register_consultation(request)
                        .await
                        .expect("registered"),
                )
            }
        });
        let answers = join_all(tries).await;
        assert!(answers.iter().all(|a| a == &answers[0]));
        assert_eq!(world.registered().await.number, 2);
    }
}

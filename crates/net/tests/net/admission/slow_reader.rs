//! A caller who asks and does not read.

use std::time::Duration;

use bytes::Bytes;
use http::Request;
use tokio::net::TcpStream;

use super::{
    model::{Model, fixed},
    offer::{Asker, What},
};

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_read_the_answer_holds_no_place() {
    let model = Model::start(1, Duration::from_millis(1), Some(fixed(1)));
    let tcp = TcpStream::connect(model.address).await.unwrap();
    // No window: nothing of a body can be sent to it.
    let (client, connection) = h2::client::Builder::new()
        .initial_window_size(0)
        .handshake::<_, Bytes>(tcp)
        .await
        .unwrap();
    tokio::spawn(connection);
    let mut client = client.ready().await.unwrap();
    let request = Request::post(format!(
        "http://{}/bangban.casework.v1.CaseService/GetCase",
        model.address
    ))
    .header("content-type", "application/grpc")
    .header("te", "trailers")
    .header("authorization", model.clerk("330326"))
    .body(())
    .unwrap();
    let (answer, mut sending) = client.send_request(request, false).unwrap();
    sending
        .send_data(Bytes::from_static(&[0; 5]), true)
        .unwrap();
    let mut answer = answer.await.unwrap();
    assert!(answer.headers().contains_key("x-worked-micros"));

    let clerk = Asker::new(&model, model.clerk("330326")).await;
    for _ in 0..3 {
        clerk.ask(What::Read).await.unwrap();
    }
    assert_eq!(model.counts().people.refused, 0);
    assert_eq!(model.counts().waited, 0);
    // It was not answered meanwhile.
    let mut body = std::pin::pin!(answer.body_mut().data());
    assert!(futures::poll!(&mut body).is_pending());
}

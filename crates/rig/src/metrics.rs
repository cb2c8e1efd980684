//! What a process tells Prometheus.

use std::net::SocketAddr;

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// The page at this address, head and all.
///
/// # Panics
/// When there is no answer.
pub async fn page(address: SocketAddr) -> String {
    let mut stream = TcpStream::connect(address).await.expect("it listens");
    let asked = b"GET /metrics HTTP/1.1\r\nhost: tests\r\nconnection: close\r\n\r\n";
    stream.write_all(asked).await.expect("asked");
    let mut page = String::new();
    stream.read_to_string(&mut page).await.expect("answered");
    page
}

/// The value of a series, which is named with its labels; nothing where the page has none.
#[must_use]
pub fn value(page: &str, series: &str) -> Option<f64> {
    let line = page.lines().find_map(|line| line.strip_prefix(series))?;
    line.trim().parse().ok()
}

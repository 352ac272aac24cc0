//! Requests that no SDK would send.

use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_s3::primitives::ByteStream;
use tempfile::NamedTempFile;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::{BUCKET, Fixture, config};

/// Gets a URL, and returns the status and the body.
pub(super) async fn http_get(url: &str) -> (u16, String) {
    let (host, path) = split(url);
    let request = format!("GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
    exchange(host, request.as_bytes()).await
}

/// Sends a request as it is, and returns the answer's status and body.
async fn exchange(host: &str, request: &[u8]) -> (u16, String) {
    let mut stream = TcpStream::connect(host).await.unwrap();
    stream.write_all(request).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let answer = String::from_utf8(answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

fn split(url: &str) -> (&str, &str) {
    let rest = url.strip_prefix("http://").unwrap();
    rest.split_at(rest.find('/').unwrap_or(rest.len()))
}

/// What the SDK sends to write an object, but for `connection: close`. The signature holds for any server, as it covers the
/// `Host` header and not the address.
async fn captured_put(body: ByteStream) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let client = Client::from_conf(config("AKIDTESTS", "secret", &url).build());
    let put = client.put_object().bucket(BUCKET).key("a").body(body);
    let sending = tokio::spawn(put.send());
    let (mut stream, _) = listener.accept().await.unwrap();
    let mut request = Vec::new();
    // The head ends with an empty line, and trailers too.
    let empty_lines = |request: &[u8]| request.windows(4).filter(|it| *it == b"\r\n\r\n").count();
    while !(request.ends_with(b"\r\n\r\nhello") || empty_lines(&request) == 2) {
        assert!(stream.read_buf(&mut request).await.unwrap() > 0, "the SDK hung up");
    }
    sending.abort();
    String::from_utf8(request).unwrap().replacen("\r\n", "\r\nconnection: close\r\n", 1)
}

/// A file with this content. The SDK streams files, and sends their checksum in a trailer; of content in memory it sends
/// the checksum in a header.
pub(super) fn file(content: &str) -> NamedTempFile {
    let file = NamedTempFile::new().unwrap();
    std::fs::write(file.path(), content).unwrap();
    file
}

#[tokio::test]
async fn an_upload_that_changed_on_the_way_is_refused() {
    let fixture = Fixture::new().await;
    let (host, _) = split(fixture.endpoint.url());
    let file = file("hello");
    let whole = captured_put(ByteStream::from_static(b"hello")).await;
    let pieces = captured_put(ByteStream::from_path(file.path()).await.unwrap()).await;

    for (request, status, code) in [
        (whole.replace("\r\nhello", "\r\njello"), 400, "XAmzContentSHA256Mismatch"),
        (pieces.replace("\r\nhello", "\r\njello"), 403, "SignatureDoesNotMatch"),
        (pieces.replace("crc32:NhCmhg==", "crc32:AAAAAA=="), 403, "SignatureDoesNotMatch"),
    ] {
        let (got, body) = exchange(host, request.as_bytes()).await;
        assert!(got == status && body.contains(&format!("<Code>{code}</Code>")), "{code}: {got} {body}");
        assert!(fixture.s3.object(BUCKET, "a").is_none());
    }
    for request in [whole, pieces] {
        assert_eq!(exchange(host, request.as_bytes()).await.0, 200);
        assert_eq!(fixture.get("a").await, "hello");
    }
}

#[tokio::test]
async fn an_upload_that_breaks_off_leaves_nothing() {
    let fixture = Fixture::new().await;
    let presigning = PresigningConfig::expires_in(Duration::from_mins(1)).unwrap();
    let put = fixture.client.put_object().bucket(BUCKET).key("a").presigned(presigning).await.unwrap();
    let (host, path) = split(put.uri());
    let staged = || std::fs::read_dir(fixture.root().join(".s3/staging")).unwrap().count();

    let mut stream = TcpStream::connect(host).await.unwrap();
    let request = format!("PUT {path} HTTP/1.1\r\nhost: {host}\r\ncontent-length: 100\r\n\r\nhello");
    stream.write_all(request.as_bytes()).await.unwrap();
    let wait = Duration::from_secs(10);
    tokio::time::timeout(wait, async {
        while staged() == 0 {
            tokio::task::yield_now().await;
        }
    })
    .await
    .unwrap();
    drop(stream);
    tokio::time::timeout(wait, async {
        while staged() != 0 {
            tokio::task::yield_now().await;
        }
    })
    .await
    .unwrap();
    assert!(fixture.s3.object(BUCKET, "a").is_none());
    let log = fixture.s3.access_log().entries();
    assert_eq!((log[0].operation.as_str(), log[0].bytes_received), ("PutObject", 5));
}

use std::time::{Duration, Instant};

use aws_sdk_s3::operation::list_objects_v2::ListObjectsV2Output;
use aws_sdk_s3::types::EncodingType;

use super::{BUCKET, Fixture, refusal, refused};

/// Writes objects without HTTP.
async fn write(fixture: &Fixture, keys: &[&str]) {
    for key in keys {
        fixture.s3.put(BUCKET, key, "x", "test").await.unwrap();
    }
}

fn keys(page: &ListObjectsV2Output) -> Vec<&str> {
    page.contents().iter().filter_map(|object| object.key()).collect()
}

fn prefixes(page: &ListObjectsV2Output) -> Vec<&str> {
    page.common_prefixes().iter().filter_map(|prefix| prefix.prefix()).collect()
}

#[tokio::test]
async fn keys_are_in_the_order_of_their_bytes() {
    let fixture = Fixture::new().await;
    // UTF-16 would sort U+10000 before U+FF5E.
    write(&fixture, &["b", "a/b", "a", "B", "\u{FF5E}", "\u{10000}", "a-b"]).await;
    let page = fixture.client.list_objects_v2().bucket(BUCKET).send().await.unwrap();
    assert_eq!(keys(&page), ["B", "a", "a-b", "a/b", "b", "\u{FF5E}", "\u{10000}"]);
    assert_eq!((page.key_count(), page.is_truncated(), page.max_keys()), (Some(7), Some(false), Some(1000)));
    let object = &page.contents()[0];
    assert_eq!((object.size(), object.e_tag()), (Some(1), Some("\"9dd4e461268c8034f5c8564e155c67a6\"")));
}

#[tokio::test]
async fn a_prefix_and_a_delimiter_make_folders() {
    let fixture = Fixture::new().await;
    write(&fixture, &["x/1/a", "x/1/b", "x/2/a", "x/3", "x/", "y/1"]).await;
    let list = || fixture.client.list_objects_v2().bucket(BUCKET).delimiter("/");
    let top = list().send().await.unwrap();
    assert_eq!((keys(&top), prefixes(&top)), (vec![], vec!["x/", "y/"]));
    let x = list().prefix("x/").send().await.unwrap();
    assert_eq!((keys(&x), prefixes(&x)), (vec!["x/", "x/3"], vec!["x/1/", "x/2/"]));
    assert_eq!(x.key_count(), Some(4));
    let none = list().prefix("z").send().await.unwrap();
    assert_eq!((none.key_count(), none.is_truncated()), (Some(0), Some(false)));
}

#[tokio::test]
async fn pages_cover_everything_once() {
    let fixture = Fixture::new().await;
    write(&fixture, &["a/1", "a/2", "b/1", "b/2", "c", "d/1", "e"]).await;
    for size in 1..=6 {
        let pages =
            fixture.client.list_objects_v2().bucket(BUCKET).delimiter("/").into_paginator().page_size(size);
        let pages: Vec<_> = pages.send().try_collect().await.unwrap();
        let all_prefixes: Vec<_> = pages.iter().flat_map(prefixes).collect();
        let all_keys: Vec<_> = pages.iter().flat_map(keys).collect();
        assert_eq!((all_prefixes, all_keys), (vec!["a/", "b/", "d/"], vec!["c", "e"]), "pages of {size}");
        assert!(pages.iter().all(|page| page.key_count() <= Some(size)));
        let full: usize = 5_usize.div_ceil(usize::try_from(size).unwrap());
        assert_eq!(pages.len(), full, "no empty page at the end");
    }
}

#[tokio::test]
async fn start_after_is_exclusive_and_a_token_wins_over_it() {
    let fixture = Fixture::new().await;
    write(&fixture, &["p/a", "p/b", "p/c", "p/d"]).await;
    let list = || fixture.client.list_objects_v2().bucket(BUCKET).prefix("p/");
    let page = list().start_after("p/a").max_keys(1).send().await.unwrap();
    assert_eq!((keys(&page), page.is_truncated()), (vec!["p/b"], Some(true)));
    let next = list().start_after("p/a").continuation_token(page.next_continuation_token.unwrap());
    assert_eq!(keys(&next.send().await.unwrap()), ["p/c", "p/d"]);
    assert_eq!(keys(&list().start_after("a").send().await.unwrap()).len(), 4);
    assert_eq!(keys(&list().start_after("q").send().await.unwrap()).len(), 0);
}

#[tokio::test]
async fn max_keys_is_capped_at_1000_and_may_be_0() {
    let fixture = Fixture::new().await;
    for n in 0..1001 {
        fixture.s3.put(BUCKET, &format!("{n:04}"), "x", "test").await.unwrap();
    }
    let list = || fixture.client.list_objects_v2().bucket(BUCKET);
    let page = list().max_keys(5000).send().await.unwrap();
    assert_eq!(
        (page.key_count(), page.is_truncated(), page.max_keys()),
        (Some(1000), Some(true), Some(1000))
    );
    let page = list().max_keys(0).send().await.unwrap();
    assert_eq!((page.key_count(), page.is_truncated()), (Some(0), Some(false)));
    let invalid = refused(400, "InvalidArgument");
    assert_eq!(refusal(list().max_keys(-1).send().await), invalid);
    assert_eq!(refusal(list().continuation_token("made up").send().await), invalid);
}

#[tokio::test]
async fn keys_are_encoded_on_request() {
    let fixture = Fixture::new().await;
    write(&fixture, &["a b/ü+1", "a b/c/d"]).await;
    let list = fixture.client.list_objects_v2().bucket(BUCKET).prefix("a b/").delimiter("/");
    let page = list.encoding_type(EncodingType::Url).send().await.unwrap();
    assert_eq!((keys(&page), prefixes(&page)), (vec!["a+b/%C3%BC%2B1"], vec!["a+b/c/"]));
    assert_eq!((page.prefix(), page.encoding_type()), (Some("a+b/"), Some(&EncodingType::Url)));
}

#[tokio::test]
async fn ten_thousand_objects_are_listed_fast() {
    let fixture = Fixture::new().await;
    for n in 0..10_000 {
        fixture.s3.put(BUCKET, &format!("{:02}/{n}", n % 50), "", "test").await.unwrap();
    }
    let start = Instant::now();
    let pages = fixture.client.list_objects_v2().bucket(BUCKET).into_paginator().send();
    let pages: Vec<_> = pages.try_collect().await.unwrap();
    assert_eq!((pages.len(), pages.iter().flat_map(keys).count()), (10, 10_000));
    let folders = fixture.client.list_objects_v2().bucket(BUCKET).delimiter("/").send().await.unwrap();
    assert_eq!(folders.common_prefixes().len(), 50);
    // A fraction of this, but the machine may be busy.
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
}

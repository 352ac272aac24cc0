use std::fs;

use bytes::Bytes;

use super::{BUCKET, Fixture, refusal, refused};
use crate::s3::Error;

#[tokio::test]
async fn an_object_is_a_file_where_a_person_looks_for_it() {
    let fixture = Fixture::new().await;
    fixture.put("exports/a-1/sg-1/2026-01-31/x.zip", "zip").await;
    let path = fixture.root().join("captures/exports/a-1/sg-1/2026-01-31/x.zip");
    assert_eq!(fs::read(&path).unwrap(), b"zip");
    assert_eq!(fixture.s3.object(BUCKET, "exports/a-1/sg-1/2026-01-31/x.zip").unwrap().path, path);
    fixture
        .client
        .delete_object()
        .bucket(BUCKET)
        .key("exports/a-1/sg-1/2026-01-31/x.zip")
        .send()
        .await
        .unwrap();
    assert_eq!(fs::read_dir(fixture.root().join("captures")).unwrap().count(), 0, "the folders are gone too");
}

#[tokio::test]
async fn keys_that_are_no_paths_are_kept_apart_and_inside_the_folder() {
    let fixture = Fixture::new().await;
    let (long_name, long_key) = ("x".repeat(300), "é".repeat(512));
    let keys = [
        "a",
        "a/b",
        "a/b/c",
        "/a",
        "a/",
        "a//b",
        "..",
        "../..",
        "../../escaped",
        "a/../b",
        "./a",
        ".",
        "A",
        "tab\there",
        "back\\slash",
        "C:colon",
        "*",
        &long_name,
        &long_key,
        ".s3/staging",
        "captures",
    ];
    for key in keys {
        fixture.put(key, key.to_owned()).await;
    }
    for key in keys {
        assert_eq!(fixture.get(key).await, key.as_bytes(), "{key:?}");
    }
    // No client can send it in a URL, but a service can ask for it.
    fixture.s3.put(BUCKET, "nul\0", "nul", "test").await.unwrap();
    assert_eq!(fixture.s3.read(BUCKET, "nul\0").await.unwrap(), "nul");
    assert_eq!(fixture.s3.list(BUCKET, "").await.unwrap().len(), keys.len() + 1);
    assert_eq!(fs::read_dir(fixture.folder.path()).unwrap().count(), 1, "nothing but the root");
    let in_root = fs::read_dir(fixture.root()).unwrap().map(|entry| entry.unwrap().file_name());
    let mut in_root: Vec<_> = in_root.collect();
    in_root.sort();
    assert_eq!(in_root, [".s3", "captures"]);
    for key in keys {
        fixture.client.delete_object().bucket(BUCKET).key(key).send().await.unwrap();
    }
    assert_eq!(fs::read_dir(fixture.root().join("captures")).unwrap().count(), 0);
}

#[tokio::test]
async fn keys_are_of_1_to_1024_bytes() {
    let fixture = Fixture::new().await;
    let put = fixture.client.put_object().bucket(BUCKET).key("x".repeat(1025)).body(Bytes::new().into());
    assert_eq!(refusal(put.send().await), refused(400, "KeyTooLongError"));
    for key in [String::new(), "x".repeat(1025)] {
        let put = fixture.s3.put(BUCKET, &key, "x", "test").await;
        assert!(matches!(put, Err(Error::KeyLength(length)) if length == key.len()));
    }
}

#[tokio::test]
async fn a_file_moves_into_s3() {
    let fixture = Fixture::new().await;
    let outside = tempfile::tempdir().unwrap();
    let path = outside.path().join("export.zip");
    fs::write(&path, "zip").unwrap();
    let nowhere = fixture.s3.put("nowhere", "x.zip", path.clone(), "test").await;
    assert!(matches!(nowhere, Err(Error::NoSuchBucket(_))));
    assert!(path.exists(), "a refused file stays where it was");
    fixture.s3.put(BUCKET, "x.zip", path.clone(), "test").await.unwrap();
    assert!(!path.exists());
    let object = fixture.s3.object(BUCKET, "x.zip").unwrap();
    assert_eq!((object.size, object.etag.as_str()), (3, "adcdbd79a8d84175c229b192aadc02f2"));
    assert_eq!(fixture.get("x.zip").await, "zip");
}

#[tokio::test]
async fn what_one_side_writes_the_other_reads() {
    let fixture = Fixture::new().await;
    fixture.put("p/over-http", "1").await;
    fixture.s3.put(BUCKET, "p/in-process", "2", "test").await.unwrap();
    assert_eq!(fixture.s3.read(BUCKET, "p/over-http").await.unwrap(), "1");
    assert_eq!(fixture.get("p/in-process").await, "2");
    assert_eq!(fixture.s3.list(BUCKET, "p/").await.unwrap(), ["p/in-process", "p/over-http"]);
    assert!(matches!(fixture.s3.read(BUCKET, "p/none").await, Err(Error::NoSuchKey(_))));
    assert!(fixture.s3.object(BUCKET, "p/none").is_none());
}

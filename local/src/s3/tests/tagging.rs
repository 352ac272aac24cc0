use aws_sdk_s3::error::SdkError;
use aws_sdk_s3::operation::put_object_tagging::{PutObjectTaggingError, PutObjectTaggingOutput};
use aws_sdk_s3::types::{Tag, Tagging};

use super::{BUCKET, Fixture, refusal, refused};

async fn put_tags(
    fixture: &Fixture,
    tags: &[(&str, &str)],
) -> Result<PutObjectTaggingOutput, SdkError<PutObjectTaggingError>> {
    let tags = tags.iter().map(|(key, value)| Tag::builder().key(*key).value(*value).build().unwrap());
    let tagging = Tagging::builder().set_tag_set(Some(tags.collect())).build().unwrap();
    fixture.client.put_object_tagging().bucket(BUCKET).key("a").tagging(tagging).send().await
}

async fn get_tags(fixture: &Fixture) -> Vec<(String, String)> {
    let tags = fixture.client.get_object_tagging().bucket(BUCKET).key("a").send().await.unwrap().tag_set;
    tags.into_iter().map(|tag| (tag.key, tag.value)).collect()
}

#[tokio::test]
async fn tags_are_replaced_as_a_whole_and_deleted() {
    let fixture = Fixture::new().await;
    fixture.put("a", "").await;
    assert_eq!(get_tags(&fixture).await, []);
    put_tags(&fixture, &[("Verdict", "crash"), ("ключ", "a b+-=._:/@1")]).await.unwrap();
    put_tags(&fixture, &[("Verdict", "clean"), ("verdict", "")]).await.unwrap();
    let expected = [("Verdict", "clean"), ("verdict", "")];
    assert_eq!(get_tags(&fixture).await, expected.map(|(key, value)| (key.to_owned(), value.to_owned())));
    fixture.client.delete_object_tagging().bucket(BUCKET).key("a").send().await.unwrap();
    assert_eq!(get_tags(&fixture).await, []);
}

#[tokio::test]
async fn tags_beyond_the_limits_are_refused_and_change_nothing() {
    let fixture = Fixture::new().await;
    let put = fixture.client.put_object().bucket(BUCKET).key("a").tagging("kept=yes");
    put.send().await.unwrap();
    let (long_key, long_value) = ("k".repeat(129), "v".repeat(257));
    let invalid = refused(400, "InvalidTag");
    assert_eq!(refusal(put_tags(&fixture, &[("a", "1"), ("a", "2")]).await), invalid);
    assert_eq!(refusal(put_tags(&fixture, &[(&long_key, "")]).await), invalid);
    assert_eq!(refusal(put_tags(&fixture, &[("k", &long_value)]).await), invalid);
    assert_eq!(refusal(put_tags(&fixture, &[("k", "a|b")]).await), invalid);
    assert_eq!(refusal(put_tags(&fixture, &[("aws:k", "v")]).await), invalid);
    let names: Vec<_> = (0..11).map(|n| format!("k{n}")).collect();
    let eleven: Vec<_> = names.iter().map(|name| (name.as_str(), "v")).collect();
    assert_eq!(refusal(put_tags(&fixture, &eleven).await), refused(400, "BadRequest"));
    assert_eq!(get_tags(&fixture).await, [("kept".to_owned(), "yes".to_owned())]);
    put_tags(&fixture, &eleven[..10]).await.unwrap();
}

#[tokio::test]
async fn a_bad_tagging_header_stops_the_write() {
    let fixture = Fixture::new().await;
    let put = |tagging: &str| fixture.client.put_object().bucket(BUCKET).key("a").tagging(tagging).send();
    assert_eq!(refusal(put("a=1&a=2").await), refused(400, "InvalidArgument"));
    assert_eq!(refusal(put("a=%7C").await), refused(400, "InvalidTag"));
    assert!(fixture.s3.object(BUCKET, "a").is_none());
}

#[tokio::test]
async fn tags_of_an_object_that_is_not_there_are_404() {
    let fixture = Fixture::new().await;
    assert_eq!(refusal(put_tags(&fixture, &[("a", "b")]).await), refused(404, "NoSuchKey"));
    let got = fixture.client.get_object_tagging().bucket(BUCKET).key("a").send().await;
    assert_eq!(refusal(got), refused(404, "NoSuchKey"));
}

#[tokio::test]
async fn an_overwrite_drops_the_tags() {
    let fixture = Fixture::new().await;
    fixture.put("a", "1").await;
    put_tags(&fixture, &[("Verdict", "crash")]).await.unwrap();
    fixture.put("a", "2").await;
    assert_eq!(get_tags(&fixture).await, []);
}

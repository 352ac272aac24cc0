use aws_sdk_s3::types::{BucketLocationConstraint, CreateBucketConfiguration};

use super::{BUCKET, Fixture, refusal, refused};
use crate::s3::{BucketOptions, Error};

#[tokio::test]
async fn a_bucket_has_to_be_made_in_the_region_of_the_endpoint() {
    let fixture = Fixture::new().await;
    let create = |constraint: Option<&str>| {
        let constraint = constraint.map(BucketLocationConstraint::from);
        let configuration =
            constraint.map(|it| CreateBucketConfiguration::builder().location_constraint(it).build());
        fixture.client.create_bucket().bucket("another").set_create_bucket_configuration(configuration).send()
    };
    let elsewhere = refused(400, "IllegalLocationConstraintException");
    assert_eq!(refusal(create(None).await), elsewhere);
    assert_eq!(refusal(create(Some("eu-west-1")).await), elsewhere);
    create(Some("us-west-2")).await.unwrap();
    assert_eq!(refusal(create(Some("us-west-2")).await), refused(409, "BucketAlreadyOwnedByYou"));
}

#[tokio::test]
async fn buckets_are_listed_by_name_and_know_their_region() {
    let fixture = Fixture::new().await;
    fixture.s3.create_bucket("another", BucketOptions::default()).await.unwrap();
    let listed = fixture.client.list_buckets().send().await.unwrap();
    let names: Vec<_> = listed.buckets().iter().filter_map(|bucket| bucket.name()).collect();
    assert_eq!(names, ["another", BUCKET]);
    let head = fixture.client.head_bucket().bucket(BUCKET).send().await.unwrap();
    assert_eq!(head.bucket_region(), Some("us-west-2"));
    let location = fixture.client.get_bucket_location().bucket(BUCKET).send().await.unwrap();
    assert_eq!(location.location_constraint().map(BucketLocationConstraint::as_str), Some("us-west-2"));
}

#[tokio::test]
async fn a_bucket_that_is_not_there_is_404_everywhere() {
    let client = Fixture::new().await;
    let client = &client.client;
    assert_eq!(refusal(client.head_bucket().bucket("nowhere").send().await), refused(404, "NotFound"));
    let missing = refused(404, "NoSuchBucket");
    assert_eq!(refusal(client.get_object().bucket("nowhere").key("a").send().await), missing);
    assert_eq!(refusal(client.put_object().bucket("nowhere").key("a").send().await), missing);
    assert_eq!(refusal(client.delete_object().bucket("nowhere").key("a").send().await), missing);
    assert_eq!(refusal(client.list_objects_v2().bucket("nowhere").send().await), missing);
}

#[tokio::test]
async fn names_that_s3_does_not_take_are_refused() {
    let fixture = Fixture::new().await;
    for name in ["..", "a", "../up", "Capital", ".s3", "192.168.0.1", ""] {
        let refused = fixture.s3.create_bucket(name, BucketOptions::default()).await;
        assert!(matches!(refused, Err(Error::InvalidBucketName(_))), "{name}");
    }
}

use aws_sdk_s3::operation::list_parts::ListPartsOutput;
use aws_sdk_s3::types::{
    ChecksumAlgorithm, ChecksumMode, ChecksumType, CompletedMultipartUpload, CompletedPart,
    builders::CompletedPartBuilder,
};
use bytes::Bytes;

use super::{BUCKET, Fixture, refusal, refused};

const MIB: usize = 1024 * 1024;

async fn create(fixture: &Fixture) -> String {
    fixture.client.create_multipart_upload().bucket(BUCKET).key("a").send().await.unwrap().upload_id.unwrap()
}

async fn upload(fixture: &Fixture, id: &str, number: i32, content: Vec<u8>) -> CompletedPart {
    let part = fixture.client.upload_part().bucket(BUCKET).key("a").upload_id(id).part_number(number);
    let done = part.body(Bytes::from(content).into()).send().await.unwrap();
    listed(number).set_e_tag(done.e_tag).build()
}

fn listed(number: i32) -> CompletedPartBuilder {
    CompletedPart::builder().part_number(number)
}

fn list(parts: &[CompletedPart]) -> CompletedMultipartUpload {
    CompletedMultipartUpload::builder().set_parts(Some(parts.to_vec())).build()
}

macro_rules! complete {
    ($fixture:expr, $id:expr, $parts:expr) => {
        $fixture
            .client
            .complete_multipart_upload()
            .bucket(BUCKET)
            .key("a")
            .upload_id($id)
            .multipart_upload(list($parts))
    };
}

#[tokio::test]
async fn parts_become_one_object_whose_etag_tells_how_many_they_were() {
    let fixture = Fixture::new().await;
    let create =
        fixture.client.create_multipart_upload().bucket(BUCKET).key("a").content_type("application/zip");
    let id = create.tagging("a=1").send().await.unwrap().upload_id.unwrap();
    // In any order, and a part can be sent again.
    let two = upload(&fixture, &id, 2, vec![b'2'; 10]).await;
    upload(&fixture, &id, 1, vec![b'0'; 10]).await;
    let one = upload(&fixture, &id, 1, vec![b'1'; 5 * MIB]).await;
    assert!(fixture.s3.object(BUCKET, "a").is_none());
    let done = complete!(fixture, &id, &[one, two]).send().await.unwrap();
    // MD5 of the two MD5s, computed with hashlib.
    assert_eq!(done.e_tag(), Some("\"c59b44593a7631c44314ba46918b0866-2\""));
    let object = fixture.s3.object(BUCKET, "a").unwrap();
    assert_eq!((object.size, object.tags.len()), (5 * 1024 * 1024 + 10, 1));
    assert_eq!(object.headers.content_type.as_deref(), Some("application/zip"));
    let content = fixture.get("a").await;
    assert!(content[..5 * MIB].iter().all(|byte| *byte == b'1') && content[5 * MIB..] == *b"2222222222");
    let again = fixture.client.list_parts().bucket(BUCKET).key("a").upload_id(&id).send().await;
    assert_eq!(refusal(again), refused(404, "NoSuchUpload"));
}

#[tokio::test]
async fn a_list_of_parts_that_cannot_be_is_refused_and_can_be_mended() {
    let fixture = Fixture::new().await;
    let id = create(&fixture).await;
    let small = upload(&fixture, &id, 1, vec![0; 10]).await;
    let last = upload(&fixture, &id, 2, vec![0; 10]).await;
    let wrong = listed(1).e_tag("\"x\"").build();
    let complete = async |parts: &[CompletedPart]| refusal(complete!(fixture, &id, parts).send().await);
    assert_eq!(complete(&[small.clone(), last.clone()]).await, refused(400, "EntityTooSmall"));
    assert_eq!(complete(&[last.clone(), small.clone()]).await, refused(400, "InvalidPartOrder"));
    assert_eq!(complete(&[last.clone(), last.clone()]).await, refused(400, "InvalidPartOrder"));
    assert_eq!(complete(&[wrong]).await, refused(400, "InvalidPart"));
    assert_eq!(complete(&[listed(3).e_tag("\"x\"").build()]).await, refused(400, "InvalidPart"));
    complete!(fixture, &id, &[last]).send().await.unwrap();
    assert_eq!(fixture.s3.object(BUCKET, "a").unwrap().size, 10);
}

#[tokio::test]
async fn an_upload_can_be_conditional() {
    let fixture = Fixture::new().await;
    fixture.put("a", "there").await;
    let id = create(&fixture).await;
    let part = upload(&fixture, &id, 1, vec![0; 10]).await;
    let create_only = complete!(fixture, &id, std::slice::from_ref(&part)).if_none_match("*").send().await;
    assert_eq!(refusal(create_only), refused(412, "PreconditionFailed"));
    assert_eq!(fixture.get("a").await, "there");
    complete!(fixture, &id, &[part]).send().await.unwrap();
}

#[tokio::test]
async fn parts_are_listed_in_pages() {
    let fixture = Fixture::new().await;
    let id = create(&fixture).await;
    for number in [1, 3, 7] {
        upload(&fixture, &id, number, vec![0; 3]).await;
    }
    let pages =
        fixture.client.list_parts().bucket(BUCKET).key("a").upload_id(&id).max_parts(2).into_paginator();
    let pages: Vec<_> = pages.send().try_collect().await.unwrap();
    let parts: Vec<_> = pages.iter().flat_map(ListPartsOutput::parts).collect();
    assert_eq!(parts.iter().filter_map(|part| part.part_number()).collect::<Vec<_>>(), [1, 3, 7]);
    assert_eq!((pages.len(), parts[0].size()), (2, Some(3)));
}

#[tokio::test]
async fn an_aborted_upload_is_gone_with_its_parts() {
    let fixture = Fixture::new().await;
    let id = create(&fixture).await;
    upload(&fixture, &id, 1, vec![0; 3]).await;
    let staged = || std::fs::read_dir(fixture.root().join(".s3/staging")).unwrap().count();
    assert_eq!(staged(), 1);
    let abort = || fixture.client.abort_multipart_upload().bucket(BUCKET).key("a").upload_id(&id).send();
    abort().await.unwrap();
    assert_eq!(staged(), 0);
    assert_eq!(refusal(abort().await), refused(404, "NoSuchUpload"));
}

#[tokio::test]
async fn parts_without_an_upload_or_a_possible_number_are_refused() {
    let fixture = Fixture::new().await;
    let id = create(&fixture).await;
    let part = |key: &str, id: &str, number: i32| {
        fixture.client.upload_part().bucket(BUCKET).key(key).upload_id(id).part_number(number).send()
    };
    assert_eq!(refusal(part("a", "other", 1).await), refused(404, "NoSuchUpload"));
    assert_eq!(refusal(part("b", &id, 1).await), refused(404, "NoSuchUpload"));
    assert_eq!(refusal(part("a", &id, 0).await), refused(400, "InvalidArgument"));
    assert_eq!(refusal(part("a", &id, 10_001).await), refused(400, "InvalidArgument"));
}

#[tokio::test]
async fn the_checksum_is_that_of_the_parts_or_of_the_object_as_the_client_chose() {
    let fixture = Fixture::new().await;

    for (algorithm, kind) in [
        (ChecksumAlgorithm::Crc32, ChecksumType::Composite),
        (ChecksumAlgorithm::Sha256, ChecksumType::Composite),
        (ChecksumAlgorithm::Crc64Nvme, ChecksumType::FullObject),
        (ChecksumAlgorithm::Crc32, ChecksumType::FullObject),
    ] {
        let create = fixture.client.create_multipart_upload().bucket(BUCKET).key("a");
        let create = create.checksum_algorithm(algorithm.clone()).checksum_type(kind.clone());
        let id = create.send().await.unwrap().upload_id.unwrap();
        let mut parts = Vec::new();
        for (number, content) in [(1, vec![0; 5 * MIB]), (2, b"hello".to_vec())] {
            let part =
                fixture.client.upload_part().bucket(BUCKET).key("a").upload_id(&id).part_number(number);
            let part = part.checksum_algorithm(algorithm.clone()).body(Bytes::from(content).into());
            let done = part.send().await.unwrap();
            let part = listed(number).set_e_tag(done.e_tag).set_checksum_crc32(done.checksum_crc32);
            parts.push(part.set_checksum_sha256(done.checksum_sha256).build());
        }
        let done = complete!(fixture, &id, &parts).checksum_type(kind.clone()).send().await.unwrap();
        assert_eq!(done.checksum_type(), Some(&kind));
        // Computed with zlib, hashlib and awscrt.
        match (algorithm, kind) {
            (ChecksumAlgorithm::Sha256, _) => {
                assert_eq!(done.checksum_sha256(), Some("BvAbbg5MurpCMrVFaBO55WUNjpKOV++D3zl8x/rcQxE=-2"));
            }
            (ChecksumAlgorithm::Crc64Nvme, _) => assert_eq!(done.checksum_crc64_nvme(), Some("o665DA2GSdk=")),
            (_, ChecksumType::Composite) => assert_eq!(done.checksum_crc32(), Some("MiNFzg==-2")),
            _ => assert_eq!(done.checksum_crc32(), Some("OuNOOw==")),
        }
        let get = fixture.client.get_object().bucket(BUCKET).key("a").checksum_mode(ChecksumMode::Enabled);
        // The SDK checks a full-object checksum itself.
        assert_eq!(get.send().await.unwrap().body.collect().await.unwrap().into_bytes().len(), 5 * MIB + 5);
    }
}

#[tokio::test]
async fn an_algorithm_that_cannot_do_what_is_asked_is_refused() {
    let fixture = Fixture::new().await;
    for (algorithm, kind) in [
        (ChecksumAlgorithm::Crc64Nvme, ChecksumType::Composite),
        (ChecksumAlgorithm::Sha256, ChecksumType::FullObject),
    ] {
        let create = fixture.client.create_multipart_upload().bucket(BUCKET).key("a");
        let create = create.checksum_algorithm(algorithm).checksum_type(kind).send().await;
        assert_eq!(refusal(create), refused(400, "InvalidRequest"));
    }
}

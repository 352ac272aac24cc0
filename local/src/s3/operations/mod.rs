//! S3's operations over HTTP, a file for each group. What is missing here, s3s answers with `NotImplemented`.

mod buckets;
mod listing;
mod multipart;
mod reading;
mod settings;
mod tagging;
mod writing;

use std::sync::Arc;

use hyper::http::Extensions;
use s3s::{S3Request, S3Response, S3Result, dto};

use super::events::Origin;
use super::exchange::Exchange;
use super::store::Store;
use crate::account::Account;

/// The five checksum fields of a request as one value.
macro_rules! checksum_of {
    ($request:expr) => {
        s3s::dto::Checksum {
            checksum_crc32: $request.checksum_crc32.clone(),
            checksum_crc32c: $request.checksum_crc32c.clone(),
            checksum_crc64nvme: $request.checksum_crc64nvme.clone(),
            checksum_sha1: $request.checksum_sha1.clone(),
            checksum_sha256: $request.checksum_sha256.clone(),
            checksum_type: None,
        }
    };
}

/// Sets the five checksum fields of an answer.
macro_rules! set_checksum {
    ($answer:expr, $checksum:expr) => {{
        let checksum: s3s::dto::Checksum = $checksum;
        $answer.checksum_crc32 = checksum.checksum_crc32;
        $answer.checksum_crc32c = checksum.checksum_crc32c;
        $answer.checksum_crc64nvme = checksum.checksum_crc64nvme;
        $answer.checksum_sha1 = checksum.checksum_sha1;
        $answer.checksum_sha256 = checksum.checksum_sha256;
    }};
}

use {checksum_of, set_checksum};

/// The operations on one store.
#[derive(Debug)]
pub(super) struct Operations {
    account: Account,
    store: Arc<Store>,
}

impl Operations {
    pub(super) fn new(account: Account, store: Arc<Store>) -> Self {
        Self { account, store }
    }

    /// Who sent a request.
    fn origin(&self, extensions: &Extensions) -> Origin {
        Exchange::of(extensions).origin(&self.account.id)
    }
}

#[async_trait::async_trait]
impl s3s::S3 for Operations {
    async fn create_bucket(
        &self,
        request: S3Request<dto::CreateBucketInput>,
    ) -> S3Result<S3Response<dto::CreateBucketOutput>> {
        buckets::create_bucket(self, request).map(S3Response::new)
    }

    async fn head_bucket(
        &self,
        request: S3Request<dto::HeadBucketInput>,
    ) -> S3Result<S3Response<dto::HeadBucketOutput>> {
        buckets::head_bucket(self, &request).map(S3Response::new)
    }

    async fn list_buckets(
        &self,
        request: S3Request<dto::ListBucketsInput>,
    ) -> S3Result<S3Response<dto::ListBucketsOutput>> {
        Ok(S3Response::new(buckets::list_buckets(self, request)))
    }

    async fn get_bucket_location(
        &self,
        request: S3Request<dto::GetBucketLocationInput>,
    ) -> S3Result<S3Response<dto::GetBucketLocationOutput>> {
        buckets::get_bucket_location(self, &request).map(S3Response::new)
    }

    async fn get_public_access_block(
        &self,
        request: S3Request<dto::GetPublicAccessBlockInput>,
    ) -> S3Result<S3Response<dto::GetPublicAccessBlockOutput>> {
        settings::get_public_access_block(self, &request.input).map(S3Response::new)
    }

    async fn get_bucket_encryption(
        &self,
        request: S3Request<dto::GetBucketEncryptionInput>,
    ) -> S3Result<S3Response<dto::GetBucketEncryptionOutput>> {
        settings::get_bucket_encryption(self, &request.input).map(S3Response::new)
    }

    async fn get_bucket_policy(
        &self,
        request: S3Request<dto::GetBucketPolicyInput>,
    ) -> S3Result<S3Response<dto::GetBucketPolicyOutput>> {
        settings::get_bucket_policy(self, &request.input).map(S3Response::new)
    }

    async fn get_bucket_notification_configuration(
        &self,
        request: S3Request<dto::GetBucketNotificationConfigurationInput>,
    ) -> S3Result<S3Response<dto::GetBucketNotificationConfigurationOutput>> {
        settings::get_bucket_notification_configuration(self, &request.input).map(S3Response::new)
    }

    async fn get_bucket_lifecycle_configuration(
        &self,
        request: S3Request<dto::GetBucketLifecycleConfigurationInput>,
    ) -> S3Result<S3Response<dto::GetBucketLifecycleConfigurationOutput>> {
        settings::get_bucket_lifecycle_configuration(self, &request.input).map(S3Response::new)
    }

    async fn list_objects_v2(
        &self,
        request: S3Request<dto::ListObjectsV2Input>,
    ) -> S3Result<S3Response<dto::ListObjectsV2Output>> {
        listing::list_objects_v2(self, request).map(S3Response::new)
    }

    async fn list_object_versions(
        &self,
        request: S3Request<dto::ListObjectVersionsInput>,
    ) -> S3Result<S3Response<dto::ListObjectVersionsOutput>> {
        listing::list_object_versions(self, request).map(S3Response::new)
    }

    async fn get_object(
        &self,
        request: S3Request<dto::GetObjectInput>,
    ) -> S3Result<S3Response<dto::GetObjectOutput>> {
        reading::get_object(self, request).await.map(S3Response::new)
    }

    async fn head_object(
        &self,
        request: S3Request<dto::HeadObjectInput>,
    ) -> S3Result<S3Response<dto::HeadObjectOutput>> {
        reading::head_object(self, request).map(S3Response::new)
    }

    async fn put_object(
        &self,
        request: S3Request<dto::PutObjectInput>,
    ) -> S3Result<S3Response<dto::PutObjectOutput>> {
        writing::put_object(self, request).await.map(S3Response::new)
    }

    async fn copy_object(
        &self,
        request: S3Request<dto::CopyObjectInput>,
    ) -> S3Result<S3Response<dto::CopyObjectOutput>> {
        writing::copy_object(self, request).await.map(S3Response::new)
    }

    async fn delete_object(
        &self,
        request: S3Request<dto::DeleteObjectInput>,
    ) -> S3Result<S3Response<dto::DeleteObjectOutput>> {
        writing::delete_object(self, request).map(S3Response::new)
    }

    async fn delete_objects(
        &self,
        request: S3Request<dto::DeleteObjectsInput>,
    ) -> S3Result<S3Response<dto::DeleteObjectsOutput>> {
        writing::delete_objects(self, request).map(S3Response::new)
    }

    async fn get_object_tagging(
        &self,
        request: S3Request<dto::GetObjectTaggingInput>,
    ) -> S3Result<S3Response<dto::GetObjectTaggingOutput>> {
        tagging::get_object_tagging(self, &request).map(S3Response::new)
    }

    async fn put_object_tagging(
        &self,
        request: S3Request<dto::PutObjectTaggingInput>,
    ) -> S3Result<S3Response<dto::PutObjectTaggingOutput>> {
        tagging::put_object_tagging(self, request).map(S3Response::new)
    }

    async fn delete_object_tagging(
        &self,
        request: S3Request<dto::DeleteObjectTaggingInput>,
    ) -> S3Result<S3Response<dto::DeleteObjectTaggingOutput>> {
        tagging::delete_object_tagging(self, request).map(S3Response::new)
    }

    async fn create_multipart_upload(
        &self,
        request: S3Request<dto::CreateMultipartUploadInput>,
    ) -> S3Result<S3Response<dto::CreateMultipartUploadOutput>> {
        multipart::create_multipart_upload(self, request).map(S3Response::new)
    }

    async fn upload_part(
        &self,
        request: S3Request<dto::UploadPartInput>,
    ) -> S3Result<S3Response<dto::UploadPartOutput>> {
        multipart::upload_part(self, request).await.map(S3Response::new)
    }

    async fn complete_multipart_upload(
        &self,
        request: S3Request<dto::CompleteMultipartUploadInput>,
    ) -> S3Result<S3Response<dto::CompleteMultipartUploadOutput>> {
        multipart::complete_multipart_upload(self, request).await.map(S3Response::new)
    }

    async fn abort_multipart_upload(
        &self,
        request: S3Request<dto::AbortMultipartUploadInput>,
    ) -> S3Result<S3Response<dto::AbortMultipartUploadOutput>> {
        multipart::abort_multipart_upload(self, request).map(S3Response::new)
    }

    async fn list_parts(
        &self,
        request: S3Request<dto::ListPartsInput>,
    ) -> S3Result<S3Response<dto::ListPartsOutput>> {
        multipart::list_parts(self, request).map(S3Response::new)
    }
}

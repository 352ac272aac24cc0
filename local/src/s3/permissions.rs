//! What each operation takes.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html>

use hyper::header::{IF_MATCH, IF_NONE_MATCH};
use percent_encoding::percent_decode_str;
use s3s::access::S3AccessContext;
use s3s::path::S3Path;

/// What a request does, as far as policies are concerned.
#[derive(Debug)]
pub(super) struct Asked {
    /// Each has to be allowed.
    pub(super) actions: Vec<String>,
    /// The ARN of the bucket or object; `*` for the account.
    pub(super) resource: String,
    /// Bucket and key of an object without which the request fails with 404, or with 403 where the caller may not list
    /// the bucket.
    pub(super) object: Option<(String, String)>,
    /// Condition keys.
    pub(super) context: Vec<(&'static str, String)>,
}

impl Asked {
    pub(super) fn by(request: &S3AccessContext<'_>) -> Self {
        let operation = request.s3_op().name();
        let has = |name: &str| request.headers().contains_key(name);
        let query = Query(request.uri().query().unwrap_or_default());
        let version = if query.value("versionId").is_some() { "Version" } else { "" };
        let action = match operation {
            "GetObject" | "HeadObject" => format!("s3:GetObject{version}"),
            "GetObjectTagging" | "PutObjectTagging" | "DeleteObjectTagging" => {
                format!("s3:{}{version}Tagging", operation.trim_end_matches("Tagging"))
            }
            "DeleteObject" => format!("s3:DeleteObject{version}"),
            "CopyObject" | "CreateMultipartUpload" | "UploadPart" | "CompleteMultipartUpload" => {
                "s3:PutObject".to_owned()
            }
            "ListParts" => "s3:ListMultipartUploadParts".to_owned(),
            "HeadBucket" | "ListObjects" | "ListObjectsV2" => "s3:ListBucket".to_owned(),
            "ListBuckets" => "s3:ListAllMyBuckets".to_owned(),
            "GetBucketEncryption" => "s3:GetEncryptionConfiguration".to_owned(),
            "GetBucketLifecycleConfiguration" => "s3:GetLifecycleConfiguration".to_owned(),
            "GetBucketNotificationConfiguration" => "s3:GetBucketNotification".to_owned(),
            "GetPublicAccessBlock" => "s3:GetBucketPublicAccessBlock".to_owned(),
            "ListObjectVersions" => "s3:ListBucketVersions".to_owned(),
            "ListMultipartUploads" => "s3:ListBucketMultipartUploads".to_owned(),
            same => format!("s3:{same}"),
        };
        // The keys are in the body.
        let mut actions = if operation == "DeleteObjects" { Vec::new() } else { vec![action] };
        if has("x-amz-tagging") && actions.iter().any(|action| action == "s3:PutObject") {
            actions.push("s3:PutObjectTagging".to_owned());
        }
        // The condition reads the object's ETag.
        if has(IF_MATCH.as_str()) && !operation.starts_with("Get") && !operation.starts_with("Head") {
            actions.push("s3:GetObject".to_owned());
        }
        let needs_object = operation.ends_with("ObjectTagging")
            || matches!(operation, "GetObject" | "HeadObject")
            || (has(IF_MATCH.as_str()) && !has(IF_NONE_MATCH.as_str()));
        let (resource, object) = match request.s3_path() {
            S3Path::Root => ("*".to_owned(), None),
            S3Path::Bucket { bucket } => (bucket_arn(bucket), None),
            S3Path::Object { bucket, key } => {
                let object = needs_object.then(|| (bucket.to_string(), key.to_string()));
                (object_arn(bucket, key), object)
            }
        };
        let context = ["prefix", "delimiter"].into_iter().zip(["s3:prefix", "s3:delimiter"]);
        let context = context.filter_map(|(parameter, key)| Some((key, query.value(parameter)?))).collect();
        Self { actions, resource, object, context }
    }
}

pub(super) fn bucket_arn(bucket: &str) -> String {
    format!("arn:aws:s3:::{bucket}")
}

pub(super) fn object_arn(bucket: &str, key: &str) -> String {
    format!("arn:aws:s3:::{bucket}/{key}")
}

/// The parameters of a query.
struct Query<'a>(&'a str);

impl Query<'_> {
    fn value(&self, name: &str) -> Option<String> {
        let pairs = self.0.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        let (_, value) = pairs.into_iter().find(|(key, _)| *key == name)?;
        Some(percent_decode_str(&value.replace('+', " ")).decode_utf8_lossy().into_owned())
    }
}

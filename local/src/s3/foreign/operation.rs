//! Which operation a request is: S3's API has it in the method, the path, the query, and one header.

use hyper::{HeaderMap, Method};

use crate::s3::exchange::Place;

/// The operation's name in S3's API. `None` for what nobody here calls.
pub(super) fn name(method: &Method, place: Place, query: &str, headers: &HeaderMap) -> Option<&'static str> {
    let asks = |name: &str| query.split('&').any(|pair| pair.split('=').next() == Some(name));
    let name = match (method.as_str(), place) {
        ("GET", Place::Service) => "ListBuckets",
        ("PUT", Place::Bucket) if query.is_empty() => "CreateBucket",
        ("HEAD", Place::Bucket) => "HeadBucket",
        ("DELETE", Place::Bucket) if query.is_empty() => "DeleteBucket",
        ("GET", Place::Bucket) if asks("uploads") => "ListMultipartUploads",
        ("GET", Place::Bucket) if asks("list-type") => "ListObjectsV2",
        ("POST", Place::Bucket) if asks("delete") => "DeleteObjects",
        ("GET", Place::Object) if asks("tagging") => "GetObjectTagging",
        ("PUT", Place::Object) if asks("tagging") => "PutObjectTagging",
        ("DELETE", Place::Object) if asks("tagging") => "DeleteObjectTagging",
        ("POST", Place::Object) if asks("uploads") => "CreateMultipartUpload",
        ("PUT", Place::Object) if asks("uploadId") => "UploadPart",
        ("GET", Place::Object) if asks("uploadId") => "ListParts",
        ("POST", Place::Object) if asks("uploadId") => "CompleteMultipartUpload",
        ("DELETE", Place::Object) if asks("uploadId") => "AbortMultipartUpload",
        ("PUT", Place::Object) if headers.contains_key("x-amz-copy-source") => "CopyObject",
        ("PUT", Place::Object) => "PutObject",
        ("GET", Place::Object) => "GetObject",
        ("HEAD", Place::Object) => "HeadObject",
        ("DELETE", Place::Object) => "DeleteObject",
        _ => return None,
    };
    Some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_are_told_apart_by_what_the_sdk_sends() {
        let plain = HeaderMap::new();
        let copy = HeaderMap::from_iter([("x-amz-copy-source".parse().unwrap(), "b/a".parse().unwrap())]);
        for (method, place, query, headers, expected) in [
            (Method::GET, Place::Object, "x-id=GetObject", &plain, "GetObject"),
            (Method::GET, Place::Object, "tagging", &plain, "GetObjectTagging"),
            (Method::PUT, Place::Object, "tagging=&versionId=1", &plain, "PutObjectTagging"),
            (Method::PUT, Place::Object, "x-id=PutObject", &plain, "PutObject"),
            (Method::PUT, Place::Object, "x-id=CopyObject", &copy, "CopyObject"),
            (Method::PUT, Place::Object, "x-id=UploadPart&partNumber=1&uploadId=u", &plain, "UploadPart"),
            (Method::POST, Place::Object, "uploadId=u", &plain, "CompleteMultipartUpload"),
            (Method::GET, Place::Bucket, "list-type=2&prefix=uploads", &plain, "ListObjectsV2"),
            (Method::DELETE, Place::Object, "x-id=DeleteObject", &plain, "DeleteObject"),
        ] {
            assert_eq!(name(&method, place, query, headers), Some(expected), "{method} {query}");
        }
        assert_eq!(name(&Method::PUT, Place::Bucket, "versioning", &plain), None);
    }
}

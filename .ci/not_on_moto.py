"""What does not hold on moto's S3, by the names of tests and statements, and why: there they are left out."""

NOT_ON_MOTO = {
    "S3 tells how a bucket is set up": "only its name and Region are given to moto; its settings have no part in the whole path",
    "S3 knows its callers by their secrets": "moto verifies no signatures, unless it is told of users and policies",
}

//! The local cloud: the part of AWS that Crash Capture touches, in one process and on loopback only.
//!
//! The two Lambda functions run as they are deployed: the real binaries, as child processes, that speak to it through
//! the Lambda runtime API and the AWS SDK. Nothing here knows the library `crash_capture`, so that what the demo and
//! the tests show is seen from outside.
//!
//! - [`cloud`]: all of it together, and the stack of `template.yaml` deployed to it
//! - [`demo`]: the four games of `cargo demo`, from their start to their records
//! - [`executables`]: the functions and the game, built by cargo or taken from where the environment says
//! - [`account`]: who owns it all (account id, Region), and the events that its services emit
//! - [`faults`]: what tests do to a service's requests
//! - [`iam`]: who may do what; every call to any of the services passes it
//! - [`delivery`]: queues and topics, which keep what they get
//! - [`s3`]: buckets and objects, on the crate `s3s`
//! - [`streams`]: GameLift Streams' REST API, and sessions that run [`game`]s as real processes
//! - [`template`]: `template.yaml`, read and resolved as CloudFormation would
//! - [`cloudformation`]: what the stack puts out
//! - [`eventbridge`]: rules that route events and schedules to functions
//! - [`lambda`]: the runtime API, asynchronous invocation, destinations
//! - [`management`]: what people ask of AWS about a stack
//! - [`zips`]: zips for tests and measurements, right ones and wrong ones

pub mod account;
pub mod cloud;
pub mod cloudformation;
pub mod delivery;
pub mod demo;
pub mod eventbridge;
pub mod executables;
pub mod faults;
pub mod game;
pub mod iam;
pub mod lambda;
pub mod management;
pub mod s3;
pub mod streams;
pub mod template;
pub mod zips;

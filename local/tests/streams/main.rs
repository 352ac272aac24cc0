//! GameLift Streams of the local cloud, as its clients see it: through the AWS SDK, with real processes as games.

mod alarms;
mod api;
mod cloud;
mod cloudtrail;
mod exports;
mod games;
mod life;
mod lists;
mod views;

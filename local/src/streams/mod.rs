//! GameLift Streams.

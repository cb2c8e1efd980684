//! End to end, over gRPC, on both databases. One binary, so that it links once.

mod repeats;

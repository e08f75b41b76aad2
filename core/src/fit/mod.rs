//! Training of the network on a capture.

//! Real plugin hosts that drive the built bundles.

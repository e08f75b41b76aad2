//! The feed-forward generator: noise inputs, layers, streaming evaluation and the model file.

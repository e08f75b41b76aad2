//! Planar audio with its sample rate: reading, writing, resampling and checking.

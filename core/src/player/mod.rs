//! A running instrument: the frame ring, the audio thread's half and the worker's half.

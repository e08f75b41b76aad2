//! Magnitudes to sound: the Griffin-Lim family, offline and streaming.

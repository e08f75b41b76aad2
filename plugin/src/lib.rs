//! Weft as a CLAP and VST3 instrument.

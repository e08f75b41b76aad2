//! Textures synthesized from a seed: fixtures, demo material and factory sounds.

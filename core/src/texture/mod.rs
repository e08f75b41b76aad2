//! What makes a texture: the losses and periods that the fit is driven by.

mod sliced_wasserstein;
#[cfg(test)]
pub(crate) use sliced_wasserstein::plain;
pub(crate) use sliced_wasserstein::{
    BANKS, FeatureShape, SlicedWasserstein, StepTargets, TargetBank,
};

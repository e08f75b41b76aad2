//! What the plugin object is in CLAP and in VST3. Main thread.

use nice_plug::prelude::*;

use super::WeftPlugin;
use crate::parameters::VOICES;
use crate::roles::Role;

impl<R: Role> ClapPlugin for WeftPlugin<R> {
    const CLAP_ID: &'static str = R::CLAP_ID;
    const CLAP_DESCRIPTION: Option<&'static str> = Some(R::DESCRIPTION);
    const CLAP_MANUAL_URL: Option<&'static str> = None;
    const CLAP_SUPPORT_URL: Option<&'static str> = None;
    const CLAP_FEATURES: &'static [ClapFeature] = R::CLAP_FEATURES;

    const CLAP_POLY_MODULATION_CONFIG: Option<PolyModulationConfig> = Some(PolyModulationConfig {
        max_voice_capacity: VOICES,
        supports_overlapping_voices: true,
    });

    fn remote_controls(&self, context: &mut impl RemoteControlsContext) {
        self.instance.params.describe_pages(context);
    }
}

impl<R: Role> Vst3Plugin for WeftPlugin<R> {
    const VST3_CLASS_ID: [u8; 16] = R::VST3_CLASS_ID;
    const VST3_SUBCATEGORIES: &'static [Vst3SubCategory] = R::VST3_SUBCATEGORIES;
}

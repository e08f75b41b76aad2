//! What the window sets reaches a plugin that rests: nice-plug keeps it for the next block, which a host that
//! rests the plugin has to be asked for.

use std::sync::Arc;

use nice_plug::context::gui::GuiContext;
use nice_plug::prelude::{GuiContextInner, ParamPtr, PluginApi, PluginState};

use crate::session::Session;

/// The way to the host, along which the plugin is woken.
pub struct Waking {
    inner: GuiContext,
    session: Arc<Session>,
}

impl Waking {
    /// The way `inner`, for the plugin of `session`.
    pub fn around(inner: GuiContext, session: Arc<Session>) -> GuiContext {
        GuiContext::new(Arc::new(Self { inner, session }))
    }
}

impl GuiContextInner for Waking {
    fn plugin_api(&self) -> PluginApi {
        self.inner.plugin_api()
    }

    unsafe fn raw_begin_set_parameter(&self, param: ParamPtr) {
        // SAFETY: as called by the window.
        unsafe { self.inner.raw_begin_set_parameter(param) };
        self.session.rest().end();
    }

    unsafe fn raw_set_parameter_normalized(&self, param: ParamPtr, normalized: f32) {
        // SAFETY: as called by the window.
        unsafe { self.inner.raw_set_parameter_normalized(param, normalized) };
        self.session.rest().end();
    }

    unsafe fn raw_end_set_parameter(&self, param: ParamPtr) {
        // SAFETY: as called by the window.
        unsafe { self.inner.raw_end_set_parameter(param) };
        self.session.rest().end();
    }

    fn get_state(&self) -> PluginState {
        self.inner.get_state()
    }

    fn set_state(&self, state: PluginState) {
        self.inner.set_state(state);
        self.session.rest().end();
    }

    fn request_restart(&self) {
        self.inner.request_restart();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use nice_plug::prelude::BoolParam;

    use super::*;
    use crate::editor::test_window;

    #[test]
    fn what_the_window_sets_has_the_host_asked_where_the_plugin_rests() {
        let session = Arc::new(Session::new().0);
        let rest = session.rest();
        let asked = Arc::new(AtomicU32::new(0));
        let count = asked.clone();
        let request = move || {
            count.fetch_add(1, Ordering::Relaxed);
        };
        rest.set_requester(Some(Arc::new(request)));
        let window = Waking::around(test_window::host(), session.clone());
        let param = BoolParam::new("Hold", false);
        let setter = window.param_setter();
        let edits: [&dyn Fn(); 3] = [
            &|| setter.begin_set_parameter(&param),
            &|| setter.set_parameter(&param, true),
            &|| setter.end_set_parameter(&param),
        ];
        for edit in edits {
            while !rest.end_block(480, 48_000.0, true) {}
            assert_eq!(asked.swap(0, Ordering::Relaxed), 0);
            edit();
            assert_eq!(asked.swap(0, Ordering::Relaxed), 1);
        }
        // It has gone on to the host as well.
        assert!(param.value());
    }
}

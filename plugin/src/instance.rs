//! What one plugin instance shares between its threads and with the adapter of its format, and how the
//! adapter finds it.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use weft_core::instrument::{Outlook, Player};

use crate::link::HostLink;
use crate::parameters::WeftParams;
use crate::project::Project;
use crate::session::Session;

/// The shared parts of a plugin instance. Any thread.
#[derive(Clone)]
pub struct Instance {
    /// The instrument, and what the window asks for.
    pub session: Arc<Session>,
    /// The line to the adapter of the format.
    pub link: Arc<HostLink>,
    /// The parameters, and with them the project.
    pub params: Arc<WeftParams>,
}

/// The instance that was made last, for the adapter around its plugin object.
static NEWEST: Mutex<WeakInstance> = Mutex::new(WeakInstance {
    session: Weak::new(),
    link: Weak::new(),
    params: Weak::new(),
});

/// Whoever looks for an instance must not keep it.
struct WeakInstance {
    session: Weak<Session>,
    link: Weak<HostLink>,
    params: Weak<WeftParams>,
}

impl Instance {
    /// A fresh instance, and the player that belongs on its audio thread; `passes_input`: the effect's.
    ///
    /// # Panics
    /// As [`Session::new`].
    pub fn new(passes_input: bool) -> (Self, Player) {
        let (session, player) = Session::new();
        let session = Arc::new(session);
        let link = Arc::new(HostLink::default());
        let project = Project::new(session.clone(), link.clone());
        let params = Arc::new(WeftParams::with_project(project, passes_input));
        let instance = Self {
            session,
            link,
            params,
        };
        instance.set_newest();
        (instance, player)
    }

    /// The textures in the host's project.
    pub fn project(&self) -> &Project {
        &self.params.project
    }

    /// How many samples it sounds after the last note and input, as hosts count them; all ones where it goes on
    /// without an end. Real-time safe.
    pub fn tail_samples(&self) -> u32 {
        let controls = self.params.controls();
        if controls.hold || self.session.rest().outlook() == Outlook::Endless {
            return u32::MAX;
        }
        (Player::tail_s(&controls) * self.link.sample_rate()).ceil() as u32
    }

    /// Runs nice-plug's constructor, which makes a plugin object out of sight, and returns what it made
    /// with the instance of that object. For the main thread.
    pub fn of_object<T>(create: impl FnOnce() -> T) -> Option<(T, Self)> {
        /// One constructor at a time, or they could be mixed up.
        static CREATING: Mutex<()> = Mutex::new(());
        // A constructor that has panicked leaves nothing behind here.
        let _creating = CREATING.lock().unwrap_or_else(PoisonError::into_inner);
        let created = create();
        Some((created, Self::newest()?))
    }

    fn set_newest(&self) {
        if let Ok(mut newest) = NEWEST.lock() {
            *newest = WeakInstance {
                session: Arc::downgrade(&self.session),
                link: Arc::downgrade(&self.link),
                params: Arc::downgrade(&self.params),
            };
        }
    }

    fn newest() -> Option<Self> {
        let newest = NEWEST.lock().ok()?;
        Some(Self {
            session: newest.session.upgrade()?,
            link: newest.link.upgrade()?,
            params: newest.params.upgrade()?,
        })
    }
}

//! What one plugin instance shares between its threads and with the adapter of its format, and how the
//! adapter finds it.

use std::cell::Cell;
use std::ptr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

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

/// What a constructor that is at work has made, for the adapter around its plugin object.
static CONSTRUCTION: Mutex<Construction> = Mutex::new(Construction {
    thread: None,
    made: None,
});

/// The making of one plugin object.
struct Construction {
    /// Where it is made. Instances that other threads make meanwhile have nothing to do with it.
    thread: Option<ThreadMark>,
    made: Option<WeakInstance>,
}

/// Tells one thread from another while both live. Nothing of it has to be freed when a thread ends, which may be
/// after the library was taken out of memory.
#[derive(Clone, Copy, PartialEq, Eq)]
struct ThreadMark(usize);

impl ThreadMark {
    /// This thread's: the address of something that each has one of.
    fn of_this() -> Self {
        thread_local! {
            static PLACE: Cell<u8> = const { Cell::new(0) };
        }
        Self(PLACE.with(|place| ptr::from_ref(place).addr()))
    }
}

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
        instance.tell_constructor();
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
        let thread = Some(ThreadMark::of_this());
        *construction() = Construction { thread, made: None };
        let created = create();
        let made = {
            let mut construction = construction();
            construction.thread = None;
            construction.made.take()?
        };
        Some((created, made.upgrade()?))
    }

    /// Leaves word of it for who runs the constructor that makes it, if one does.
    fn tell_constructor(&self) {
        let mut construction = construction();
        if construction.thread == Some(ThreadMark::of_this()) {
            construction.made = Some(WeakInstance {
                session: Arc::downgrade(&self.session),
                link: Arc::downgrade(&self.link),
                params: Arc::downgrade(&self.params),
            });
        }
    }
}

impl WeakInstance {
    fn upgrade(&self) -> Option<Instance> {
        Some(Instance {
            session: self.session.upgrade()?,
            link: self.link.upgrade()?,
            params: self.params.upgrade()?,
        })
    }
}

fn construction() -> MutexGuard<'static, Construction> {
    CONSTRUCTION.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_gets_the_instance_that_its_own_constructor_made() {
        let other = || std::thread::spawn(|| Instance::new(false)).join();
        let (ours, found) = Instance::of_object(|| {
            let ours = Instance::new(false);
            // Kept until the end, or it could not be found in any case.
            (ours, other().expect("another instance"))
        })
        .expect("an instance");
        assert!(Arc::ptr_eq(&ours.0.0.session, &found.session));
        // Nothing was made, and nothing of before is found.
        assert!(Instance::of_object(|| ()).is_none());
    }
}

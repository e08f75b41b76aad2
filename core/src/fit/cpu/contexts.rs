//! The contexts' part in a step.

use crate::fit::Recipe;
use crate::texture::loss::{ContextComparison, ContextLoss, ContextMemory, SeenContexts};

/// The contexts of a fit: prepared where they first count, and what is remembered of them.
pub(super) struct Contexts<'a> {
    recipe: &'a Recipe,
    state: State,
    memory: ContextMemory,
}

#[derive(Debug)]
enum State {
    /// They have not counted yet.
    Unprepared,
    /// The capture has too few.
    None,
    Prepared(Box<ContextLoss>),
}

impl<'a> Contexts<'a> {
    /// Of the fit of `recipe`.
    pub fn new(recipe: &'a Recipe) -> Self {
        Self {
            recipe,
            state: State::Unprepared,
            memory: ContextMemory::default(),
        }
    }

    /// Prepares them for a step in which they count, or not.
    pub fn prepare(&mut self, count: bool) {
        if count && matches!(self.state, State::Unprepared) {
            let contexts = self.recipe.new_contexts();
            self.state = contexts.map_or(State::None, |loss| State::Prepared(Box::new(loss)));
        }
    }

    /// The loss, if it is prepared.
    pub fn loss(&self) -> Option<&ContextLoss> {
        match &self.state {
            State::Prepared(loss) => Some(loss),
            State::Unprepared | State::None => None,
        }
    }

    /// Compares all contexts of a step, if they are prepared.
    pub fn compare(&mut self, seen: &[&SeenContexts]) -> Option<ContextComparison> {
        let State::Prepared(loss) = &self.state else {
            return None;
        };
        Some(loss.compare(seen, &mut self.memory))
    }
}

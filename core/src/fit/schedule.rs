//! How fast a fit learns and from how many frames, when it shows what it has, and when it is over.

use super::effort::suitable_frames;
use super::{FitSettings, LEAST_FRAMES, StepPlan};

/// Highest learning rate.
const PEAK_RATE: f64 = 4e-3;
/// Steps of linear warm-up.
const WARM_UP_STEPS: u32 = 20;
/// Part of a fit, at its end, that has the most frames; those before it share the rest. Few frames come near
/// soonest, and many nearest: where few are compared, it pays to have all of a distribution in each stretch,
/// as no real stretch of a texture has it.
const MOST_FRAMES_PART: f64 = 0.4;
/// Part of a fit after which the moments of contexts count, how much against the random projections, and the fewest
/// steps of a fit in which they do: to prepare them takes as long as some fifty steps, and what is first heard should
/// not wait for it.
const CONTEXTS_COUNT: f64 = 0.05;
const CONTEXT_WEIGHT: f32 = 1.0;
const LEAST_CONTEXT_STEPS: u32 = 300;
/// Part of a fit after which a critic begins to learn, and after which it is heard: there is nothing to tell
/// apart while everything is wrong, and who has learned nothing should not be heard.
const CRITIC_LEARNS: f64 = 0.15;
const CRITIC_IS_HEARD: f64 = 0.18;
/// How strong its gradient is against the other losses' on the frames that it sees. Stronger ones bring lines
/// back sooner, and bend the distributions that the other losses match.
const CRITIC_WEIGHT: f32 = 0.2;
/// Fewest steps of a fit that has a critic: in less it comes to know nothing.
const LEAST_CRITIC_STEPS: u32 = 500;
/// Steps before a fit that goes on, which only look at how near it is.
const LISTENING_STEPS: u32 = 8;
/// Parts of the fit after which a snapshot is taken.
const SNAPSHOTS: [f64; 14] = [
    0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0,
];
/// A fit of several times so many steps goes through the rates again and again, at least so many steps each
/// time.
const CYCLE_STEPS: u32 = 6_000;
/// Part of a cycle, at its end, whose mean loss says how far it came.
const JUDGED: f64 = 0.1;
/// A cycle that ends with a loss less than this much below the last one's was the last: a tenth of a
/// decibel.
const LEAST_GAIN: f64 = 0.02;

/// The way of one fit: a short warm-up, then straight to zero; and again, for as long as that helps.
#[derive(Debug)]
pub(super) struct Schedule {
    steps: u32,
    /// How often the frames double in the course of the fit.
    doublings: u32,
    /// Frames of the first steps.
    least_frames: usize,
    /// Steps to come that only listen.
    listening: u32,
    step: u32,
    /// Done by steps or by time, whichever is further on: 0 to 1.
    progress: f64,
    cycles: u32,
    next_snapshot: usize,
    /// Sum and number of the losses by which the present cycle is judged, and the mean of the last one's.
    sum: f64,
    count: u32,
    last_mean: Option<f64>,
    has_stalled: bool,
    has_landed: bool,
}

impl Schedule {
    /// For a fit with these settings. One that is limited by time goes through the rates once: how many steps
    /// it has is not known. One that goes on listens first, and has the most frames from its beginning.
    pub fn new(settings: &FitSettings, goes_on: bool) -> Self {
        let steps = settings.steps;
        let is_timed = settings.max_duration_s.is_some();
        let cycles = if is_timed { 1 } else { steps / CYCLE_STEPS };
        let step_frames = settings.step_frames;
        let step_frames = step_frames.unwrap_or_else(|| suitable_frames(steps));
        let growth = (step_frames / LEAST_FRAMES).max(1);
        let doublings = if goes_on { 0 } else { growth.ilog2() };
        Self {
            steps,
            doublings,
            least_frames: step_frames >> doublings,
            listening: if goes_on { LISTENING_STEPS } else { 0 },
            step: 0,
            progress: 0.0,
            cycles: cycles.max(1),
            next_snapshot: 0,
            sum: 0.0,
            count: 0,
            last_mean: None,
            has_stalled: false,
            has_landed: false,
        }
    }

    /// Frames of all steps of a fit with these settings, if it improves until its end.
    pub fn frames_in_all(settings: &FitSettings, goes_on: bool) -> u64 {
        let mut schedule = Self::new(settings, goes_on);
        let mut frames = 0;
        while !schedule.is_over() {
            frames += schedule.frames() as u64;
            let falling_loss = 1.0 / (schedule.step + 1) as f32;
            schedule.advance(falling_loss, 0.0);
        }
        frames
    }

    /// How many cycles are done, and how much of the present one.
    fn cycle(&self) -> f64 {
        self.progress * f64::from(self.cycles)
    }

    /// Whether the next step only looks at how near the network is.
    pub fn is_listening(&self) -> bool {
        self.listening > 0
    }

    /// What the next step is like.
    pub fn plan(&self) -> StepPlan {
        StepPlan {
            learning_rate: if self.is_listening() {
                0.0
            } else {
                self.rate()
            },
            frames: self.frames(),
            context_weight: self.context_weight(),
            critic_weight: self.critic_weight(),
        }
    }

    fn context_weight(&self) -> f32 {
        let counts = self.steps >= LEAST_CONTEXT_STEPS && self.progress >= CONTEXTS_COUNT;
        if counts { CONTEXT_WEIGHT } else { 0.0 }
    }

    fn critic_weight(&self) -> Option<f32> {
        let learns = self.steps >= LEAST_CRITIC_STEPS && self.progress >= CRITIC_LEARNS;
        let is_heard = self.progress >= CRITIC_IS_HEARD;
        learns.then_some(if is_heard { CRITIC_WEIGHT } else { 0.0 })
    }

    /// Frames of the next step.
    fn frames(&self) -> usize {
        let grown = self.cycle() / (1.0 - MOST_FRAMES_PART);
        let doublings = (grown * f64::from(self.doublings)) as u32;
        self.least_frames << doublings.min(self.doublings)
    }

    fn rate(&self) -> f32 {
        let warm_up = f64::from(self.step + 1) / f64::from(WARM_UP_STEPS);
        (PEAK_RATE * warm_up.min(1.0) * (1.0 - self.cycle().fract())) as f32
    }

    /// Steps in all, as far as is known now.
    pub fn steps(&self) -> u32 {
        if self.has_stalled {
            self.step
        } else if self.progress * f64::from(self.steps) > f64::from(self.step) {
            // Time runs out before the steps do.
            let by_time = f64::from(self.step) / self.progress;
            self.steps.min(by_time.round() as u32).max(self.step)
        } else {
            self.steps
        }
    }

    /// Whether the fit goes through the rates more than once.
    pub fn has_cycles(&self) -> bool {
        self.cycles > 1
    }

    /// Whether the rate has just come down to zero.
    pub fn has_landed(&self) -> bool {
        self.has_landed
    }

    pub fn is_over(&self) -> bool {
        self.progress >= 1.0 || self.has_stalled
    }

    /// Counts a step that listened.
    pub fn listened(&mut self) {
        self.listening = self.listening.saturating_sub(1);
    }

    /// Counts a step with this loss, after `time_done` (0..1) of the time that the fit may take. Returns
    /// whether a snapshot is due.
    pub fn advance(&mut self, loss: f32, time_done: f64) -> bool {
        let before = self.cycle();
        self.step += 1;
        self.progress = (f64::from(self.step) / f64::from(self.steps)).max(time_done);
        if before.fract() >= 1.0 - JUDGED {
            self.sum += f64::from(loss);
            self.count += 1;
        }
        self.has_landed = self.cycle().floor() > before.floor() || self.progress >= 1.0;
        if self.has_landed {
            let mean = (self.count > 0).then(|| self.sum / f64::from(self.count));
            if let (Some(mean), Some(last)) = (mean, self.last_mean) {
                self.has_stalled = mean > last * (1.0 - LEAST_GAIN);
            }
            self.last_mean = mean.or(self.last_mean);
            (self.sum, self.count) = (0.0, 0);
        }
        let due = SNAPSHOTS[self.next_snapshot..]
            .iter()
            .take_while(|&&at| self.progress >= at)
            .count();
        self.next_snapshot += due;
        due > 0 || self.has_landed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(steps: u32) -> FitSettings {
        FitSettings {
            steps,
            ..FitSettings::default()
        }
    }

    /// What the steps of a fit are like whose step `n` has the loss `loss(n)`.
    fn plans(settings: &FitSettings, loss: impl Fn(u32) -> f32) -> Vec<StepPlan> {
        let mut schedule = Schedule::new(settings, false);
        let mut plans = Vec::new();
        while !schedule.is_over() {
            plans.push(schedule.plan());
            schedule.advance(loss(plans.len() as u32), 0.0);
        }
        plans
    }

    fn rates(steps: u32, loss: impl Fn(u32) -> f32) -> Vec<f32> {
        let plans = plans(&settings(steps), loss);
        plans.iter().map(|plan| plan.learning_rate).collect()
    }

    #[test]
    fn a_fit_that_improves_takes_all_its_steps() {
        for steps in [1_000, CYCLE_STEPS, 10_000] {
            let rates = rates(steps, |step| 1.0 / step as f32);
            assert_eq!(rates.len(), steps as usize);
            let peak = rates.iter().copied().fold(0.0, f32::max);
            assert!(peak > 0.9 * PEAK_RATE as f32 && rates[rates.len() - 1] < 0.01 * peak);
        }
    }

    #[test]
    fn a_fit_that_no_longer_improves_ends_with_its_second_cycle() {
        // Better at lower rates, but no better the second time.
        let rates = rates(10 * CYCLE_STEPS, |step| {
            2.0 - (step % CYCLE_STEPS) as f32 * 1e-4
        });
        assert_eq!(rates.len(), 2 * CYCLE_STEPS as usize);
        assert!(rates[rates.len() - 1] < 0.01 * rates[50]);
    }

    #[test]
    fn frames_grow_once_to_the_most() {
        for (step_frames, steps) in [(384, 100), (1_536, 1_000), (6_144, 3 * CYCLE_STEPS)] {
            let settings = FitSettings {
                step_frames: Some(step_frames),
                ..settings(steps)
            };
            let plans = plans(&settings, |step| 1.0 / step as f32);
            assert_eq!(plans[0].frames, LEAST_FRAMES);
            assert!(plans.is_sorted_by_key(|plan| plan.frames));
            let first_cycle = steps / (steps / CYCLE_STEPS).max(1);
            let rest = &plans[(0.61 * f64::from(first_cycle)) as usize..];
            assert!(rest.iter().all(|plan| plan.frames == step_frames));
        }
    }

    #[test]
    fn a_fit_that_goes_on_listens_before_it_moves() {
        let mut schedule = Schedule::new(&settings(100), true);
        for _ in 0..LISTENING_STEPS {
            assert!(schedule.is_listening());
            assert_eq!(schedule.plan().learning_rate, 0.0);
            assert_eq!(schedule.plan().frames, LEAST_FRAMES);
            schedule.listened();
        }
        assert!(!schedule.is_listening() && schedule.plan().learning_rate > 0.0);
        assert_eq!(schedule.plan().frames, LEAST_FRAMES);
    }

    #[test]
    fn one_step_is_a_fit_and_time_ends_one() {
        assert_eq!(rates(1, |_| 1.0).len(), 1);
        let timed = FitSettings {
            max_duration_s: Some(1.0),
            ..settings(100_000)
        };
        let mut schedule = Schedule::new(&timed, false);
        let first = schedule.rate();
        assert!(schedule.advance(1.0, 0.5) && !schedule.is_over());
        assert_eq!(schedule.steps(), 2);
        // Warmed up by two steps, and half-way down.
        assert!((schedule.rate() - first).abs() < 1e-6 && !schedule.has_cycles());
        assert!(schedule.advance(1.0, 1.1) && schedule.is_over());
    }
}

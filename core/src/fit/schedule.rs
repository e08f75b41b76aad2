//! How fast a fit learns, when it shows what it has, and when it is over.

/// Highest learning rate.
const PEAK_RATE: f64 = 4e-3;
/// Steps of linear warm-up.
const WARM_UP_STEPS: u32 = 20;
/// Parts of the fit after which a snapshot is taken.
const SNAPSHOTS: [f64; 14] = [
    0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0,
];
/// The loss is averaged over so many equal parts of the fit.
const CHECKS: u32 = 20;
/// Fewer losses make no mean that could be trusted; so the shortest fits never end sooner.
const LEAST_PART_STEPS: u32 = 30;
/// A fit that over so many of them...
const PATIENCE: usize = 4;
/// ...has not become better by this part of its loss, a tenth of a decibel, does not improve any more.
const LEAST_GAIN: f64 = 0.03;
/// Part of the planned steps in which the rate then falls to zero.
const LANDING: f64 = 0.1;

/// The way of one fit: a short warm-up, then straight to zero; sooner where nothing improves.
#[derive(Debug)]
pub(super) struct Schedule {
    steps: u32,
    step: u32,
    /// Done by steps or by time, whichever is further on: 0 to 1.
    progress: f64,
    /// Step at which the rate began to fall to zero ahead of time.
    landing_from: Option<u32>,
    next_snapshot: usize,
    /// Mean losses of the parts that are over, and the sum of the present one.
    means: Vec<f64>,
    sum: f64,
    count: u32,
}

impl Schedule {
    pub fn new(steps: u32) -> Self {
        Self {
            steps,
            step: 0,
            progress: 0.0,
            landing_from: None,
            next_snapshot: 0,
            means: Vec::new(),
            sum: 0.0,
            count: 0,
        }
    }

    /// Learning rate of the next step.
    pub fn rate(&self) -> f32 {
        let warm_up = f64::from(self.step + 1) / f64::from(WARM_UP_STEPS);
        (PEAK_RATE * warm_up.min(1.0) * (1.0 - self.progress) * self.left_to_land()) as f32
    }

    /// 1 until a landing begins, then down to 0.
    fn left_to_land(&self) -> f64 {
        let done = self.landing_from.map_or(0, |from| self.step - from);
        1.0 - f64::from(done) / f64::from(self.landing_steps())
    }

    fn landing_steps(&self) -> u32 {
        ((f64::from(self.steps) * LANDING) as u32).max(1)
    }

    /// Steps in all, as far as is known now.
    pub fn steps(&self) -> u32 {
        let planned = match self.landing_from {
            Some(from) => (from + self.landing_steps()).min(self.steps),
            None => self.steps,
        };
        if self.progress * f64::from(self.steps) > f64::from(self.step) {
            // Time runs out before the steps do.
            let by_time = f64::from(self.step) / self.progress;
            planned.min(by_time.round() as u32).max(self.step)
        } else {
            planned
        }
    }

    pub fn is_over(&self) -> bool {
        self.progress >= 1.0 || self.step >= self.steps()
    }

    /// Counts a step with this loss, after `time_done` (0..1) of the time that the fit may take. Returns
    /// whether a snapshot is due.
    pub fn advance(&mut self, loss: f32, time_done: f64) -> bool {
        self.step += 1;
        self.progress = (f64::from(self.step) / f64::from(self.steps)).max(time_done);
        self.sum += f64::from(loss);
        self.count += 1;
        if self.count >= self.steps.div_ceil(CHECKS).max(LEAST_PART_STEPS) {
            self.means.push(self.sum / f64::from(self.count));
            (self.sum, self.count) = (0.0, 0);
            if self.landing_from.is_none() && self.has_stalled() {
                self.landing_from = Some(self.step);
            }
        }
        let due = SNAPSHOTS[self.next_snapshot..]
            .iter()
            .take_while(|&&at| self.progress >= at)
            .count();
        self.next_snapshot += due;
        due > 0 || self.is_over()
    }

    fn has_stalled(&self) -> bool {
        let [.., last] = self.means[..] else {
            return false;
        };
        let Some(before) = self.means.len().checked_sub(PATIENCE + 1) else {
            return false;
        };
        last > self.means[before] * (1.0 - LEAST_GAIN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// (step, rate) of every step, with the losses of `loss`.
    fn rates(steps: u32, loss: impl Fn(u32) -> f32) -> Vec<f32> {
        let mut schedule = Schedule::new(steps);
        let mut rates = Vec::new();
        while !schedule.is_over() {
            rates.push(schedule.rate());
            schedule.advance(loss(rates.len() as u32), 0.0);
        }
        rates
    }

    #[test]
    fn a_fit_that_improves_takes_all_its_steps() {
        let rates = rates(1_000, |step| 1.0 / step as f32);
        assert_eq!(rates.len(), 1_000);
        let peak = rates.iter().copied().fold(0.0, f32::max);
        assert!(peak > 0.9 * PEAK_RATE as f32 && rates[999] < 0.01 * peak);
    }

    #[test]
    fn a_fit_that_stalls_lands_at_rate_zero() {
        let rates = rates(1_000, |step| 1.0f32.max(10.0 / step as f32));
        assert!((300..700).contains(&rates.len()), "{}", rates.len());
        assert!(rates[rates.len() - 1] < 0.05 * rates[50]);
    }

    #[test]
    fn one_step_is_a_fit_and_time_ends_one() {
        assert_eq!(rates(1, |_| 1.0).len(), 1);
        let mut schedule = Schedule::new(1_000);
        assert!(schedule.advance(1.0, 0.5) && !schedule.is_over());
        assert_eq!(schedule.steps(), 2);
        assert!(schedule.advance(1.0, 1.1) && schedule.is_over());
    }
}

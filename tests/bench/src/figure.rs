//! A figure: what was measured, and whether it is good enough. Its line is read by scripts.

use std::fmt;

/// What is promised.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Goal {
    /// The value stays below this.
    Below(f64),
    /// The value is this at most.
    AtMost(f64),
    /// The value is this at least.
    AtLeast(f64),
    /// The value reaches at least this part of the reference.
    RatioFrom(f64),
    /// The value stays below this part of the reference.
    RatioBelow(f64),
    /// Nothing: it is what somebody else does, stated beside ours.
    Nothing,
}

/// A figure.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// What scripts call it.
    pub name: String,
    /// What was measured.
    pub value: f64,
    /// In what.
    pub unit: &'static str,
    /// The same of something that is known, measured in turn with ours.
    pub reference: Option<f64>,
    /// What is promised.
    pub goal: Goal,
}

impl Figure {
    /// A figure without a reference, which must stay below `goal`.
    pub fn below(goal: f64, name: impl Into<String>, value: f64, unit: &'static str) -> Self {
        Self {
            name: name.into(),
            value,
            unit,
            reference: None,
            goal: Goal::Below(goal),
        }
    }

    /// A figure without a reference, which may be `goal` at most.
    pub fn at_most(goal: f64, name: impl Into<String>, value: f64, unit: &'static str) -> Self {
        Self {
            goal: Goal::AtMost(goal),
            ..Self::below(goal, name, value, unit)
        }
    }

    /// A figure without a reference, which must reach `goal`.
    pub fn at_least(goal: f64, name: impl Into<String>, value: f64, unit: &'static str) -> Self {
        Self {
            goal: Goal::AtLeast(goal),
            ..Self::below(goal, name, value, unit)
        }
    }

    /// A figure without a reference, of which nothing is promised.
    pub fn stated(name: impl Into<String>, value: f64, unit: &'static str) -> Self {
        Self {
            goal: Goal::Nothing,
            ..Self::below(0.0, name, value, unit)
        }
    }

    fn ratio(&self) -> Option<f64> {
        self.reference.map(|reference| self.value / reference)
    }

    /// Whether the promise is kept. A figure that could not be a number keeps none.
    pub fn is_met(&self) -> bool {
        match self.goal {
            Goal::Below(most) => self.value < most,
            Goal::AtMost(most) => self.value <= most,
            Goal::AtLeast(least) => self.value >= least,
            Goal::RatioFrom(least) => self.ratio().is_some_and(|ratio| ratio >= least),
            Goal::RatioBelow(most) => self.ratio().is_some_and(|ratio| ratio < most),
            Goal::Nothing => true,
        }
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "figure {} {} {}",
            self.name,
            short(self.value),
            self.unit
        )?;
        if let (Some(reference), Some(ratio)) = (self.reference, self.ratio()) {
            write!(f, " reference {} ratio {ratio:.3}", short(reference))?;
        }
        let (Goal::Below(goal)
        | Goal::AtMost(goal)
        | Goal::AtLeast(goal)
        | Goal::RatioFrom(goal)
        | Goal::RatioBelow(goal)) = self.goal
        else {
            return Ok(());
        };
        let verdict = if self.is_met() { "met" } else { "missed" };
        // A third is a goal too.
        let goal = (goal * 1e3).round() / 1e3;
        write!(f, " goal {goal} {verdict}")
    }
}

/// Three digits that count, or all before the point.
fn short(value: f64) -> String {
    match value.abs() {
        100.0.. => format!("{value:.0}"),
        10.0.. => format!("{value:.1}"),
        1.0.. => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

/// The middle one, or the mean of the two in the middle. None of no values.
pub fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    let upper = sorted.get(middle)?;
    if sorted.len() % 2 == 1 {
        return Some(*upper);
    }
    Some(f64::midpoint(sorted[middle - 1], *upper))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_without_a_reference_is_a_line_without_one() {
        let figure = Figure::below(60.0, "idle_memory", 41.237, "MB");
        assert_eq!(figure.to_string(), "figure idle_memory 41.2 MB goal 60 met");
    }

    #[test]
    fn a_figure_with_a_reference_names_it_and_the_ratio() {
        let figure = Figure {
            name: "case_open".to_owned(),
            value: 1499.0,
            unit: "per_second",
            reference: Some(3000.4),
            goal: Goal::RatioFrom(0.5),
        };
        assert_eq!(
            figure.to_string(),
            "figure case_open 1499 per_second reference 3000 ratio 0.500 goal 0.5 missed"
        );
    }

    #[test]
    fn what_is_only_stated_is_a_line_without_a_goal() {
        let figure = Figure::stated("row_lock", 327.6, "per_second");
        assert_eq!(figure.to_string(), "figure row_lock 328 per_second");
    }

    #[test]
    fn what_is_no_number_is_missed() {
        assert!(!Figure::below(1.0, "x", f64::NAN, "s").is_met());
        assert!(!Figure::at_most(0.0, "x", f64::NAN, "s").is_met());
        assert!(!Figure::at_least(1.0, "x", f64::NAN, "s").is_met());
    }

    #[test]
    fn a_goal_is_met_by_its_bound_or_not_as_it_says() {
        assert!(!Figure::below(1.0, "x", 1.0, "s").is_met());
        assert!(Figure::at_most(1.0, "x", 1.0, "s").is_met());
        assert!(Figure::at_least(1.0, "x", 1.0, "s").is_met());
        let part = |goal| Figure {
            reference: Some(4.0),
            goal,
            ..Figure::below(0.0, "x", 1.0, "us")
        };
        assert!(part(Goal::RatioFrom(0.25)).is_met());
        assert!(!part(Goal::RatioBelow(0.25)).is_met());
        assert!(part(Goal::RatioBelow(0.26)).is_met());
    }

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), Some(2.5));
    }
}

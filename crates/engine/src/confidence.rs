// SPDX-License-Identifier: Apache-2.0
//! How evidence becomes a confidence (docs/confidence.md).
//!
//! `confidence = 100 * sigmoid(PRIOR + sum of weights)`, where evidence of one correlation word counts
//! once, by its heaviest, and without decisive evidence the result is at most
//! [`Confidence::MAX_UNDECIDED`].

use lazaret_model::Confidence;

/// Log-odds before any evidence: 1.8 in 100. A lone weight of 4.4 ends at 60, the medium threshold.
pub(crate) const PRIOR: f64 = -4.0;
/// A weight beyond this says no more than this; keeps sums finite.
const MAX_ABS_WEIGHT: f64 = 50.0;

/// One evidence as the sum sees it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reason<'a> {
    /// Log-odds: above zero speaks for malware, below zero against it. A weight that is not a number
    /// counts as zero.
    pub weight: f32,
    /// Bad evidence of the same word counts once, by its heaviest; so does good evidence.
    pub correlate: &'a str,
    /// May carry the result over the *high* threshold.
    pub decisive: bool,
}

/// Adds reasons up. Zero when none of them speaks for malware; never depends on their order.
#[must_use]
pub fn confidence(reasons: &[Reason<'_>]) -> Confidence {
    let weight = |r: &Reason<'_>| {
        let w = f64::from(r.weight);
        if w.is_nan() { 0.0 } else { w.clamp(-MAX_ABS_WEIGHT, MAX_ABS_WEIGHT) }
    };
    if !reasons.iter().any(|r| weight(r) > 0.0) {
        return Confidence::new(0);
    }
    // Bad and good evidence of the same word are two groups: good evidence must not vanish behind bad.
    let mut sorted: Vec<(bool, &str, f64)> =
        reasons.iter().map(|r| (weight(r) > 0.0, r.correlate, weight(r))).collect();
    sorted.sort_by(|a, b| {
        a.0.cmp(&b.0).then_with(|| a.1.cmp(b.1)).then_with(|| b.2.abs().total_cmp(&a.2.abs()))
    });
    sorted.dedup_by(|next, kept| next.0 == kept.0 && next.1 == kept.1);
    let mut weights: Vec<f64> = sorted.into_iter().map(|(_, _, w)| w).collect();
    // Sums of floating-point numbers depend on their order: fix it.
    weights.sort_by(f64::total_cmp);
    let log_odds = PRIOR + weights.iter().sum::<f64>();
    let percent = (100.0 / (1.0 + (-log_odds).exp())).round();
    let decided = reasons.iter().any(|r| r.decisive && weight(r) > 0.0);
    // From 0 to 100 by construction, so that the conversion loses nothing.
    let confidence = Confidence::new(percent as u8);
    if decided { confidence } else { confidence.min(Confidence::MAX_UNDECIDED) }
}

/// The weight that alone gives this confidence, 2 to 99: below 2 no weight speaks for malware.
pub(crate) fn weight_for(confidence: u8) -> f32 {
    let p = f64::from(confidence.clamp(2, 99)) / 100.0;
    ((p / (1.0 - p)).ln() - PRIOR) as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn bad(weight: f32, correlate: &str) -> Reason<'_> {
        Reason { weight, correlate, decisive: false }
    }

    #[test]
    fn anchors() {
        assert_eq!(confidence(&[]).value(), 0);
        assert_eq!(confidence(&[bad(-5.0, "good")]).value(), 0);
        assert_eq!(confidence(&[bad(4.4, "a")]).value(), 60);
        assert_eq!(confidence(&[bad(8.0, "a"), bad(8.0, "b")]).value(), 89);
        let decisive = Reason { weight: 6.2, correlate: "a", decisive: true };
        assert_eq!(confidence(&[decisive]).value(), 90);
        assert!(confidence(&[decisive, bad(-8.0, "known good")]).value() < 60);
    }

    #[test]
    fn correlated_evidence_counts_once() {
        let one = confidence(&[bad(3.0, "xmrig")]);
        assert_eq!(confidence(&[bad(3.0, "xmrig"), bad(2.5, "xmrig"), bad(3.0, "xmrig")]), one);
        assert!(confidence(&[bad(3.0, "xmrig"), bad(2.5, "other")]) > one);
    }

    #[test]
    fn odd_weights_do_no_harm() {
        assert_eq!(confidence(&[bad(f32::NAN, "a")]).value(), 0);
        assert_eq!(confidence(&[bad(f32::INFINITY, "a")]).value(), 89);
        assert_eq!(confidence(&[bad(1.0, "a"), bad(f32::NEG_INFINITY, "b")]).value(), 0);
    }

    #[test]
    fn weight_for_is_the_inverse() {
        for c in 2..=89 {
            assert_eq!(confidence(&[bad(weight_for(c), "a")]).value(), c);
        }
    }

    fn reasons() -> impl Strategy<Value = Vec<(f32, usize, bool)>> {
        proptest::collection::vec((-9.0f32..9.0, 0usize..5, any::<bool>()), 0..12)
    }

    const WORDS: [&str; 5] = ["a", "b", "c", "d", "e"];

    fn view(raw: &[(f32, usize, bool)]) -> Vec<Reason<'static>> {
        raw.iter().map(|&(weight, w, decisive)| Reason { weight, correlate: WORDS[w], decisive }).collect()
    }

    proptest! {
        #[test]
        fn order_does_not_matter(raw in reasons(), seed in any::<u64>()) {
            let there = view(&raw);
            let mut shuffled = there.clone();
            for i in (1..shuffled.len()).rev() {
                let j = (seed.rotate_left(i as u32) % (i as u64 + 1)) as usize;
                shuffled.swap(i, j);
            }
            prop_assert_eq!(confidence(&there), confidence(&shuffled));
        }

        #[test]
        fn more_bad_weight_never_lowers(raw in reasons(), at in any::<prop::sample::Index>(), more in 0.0f32..5.0) {
            let mut raw = raw;
            // Evidence stays what it is: a good one made bad would leave its group.
            let bad: Vec<usize> = (0..raw.len()).filter(|&i| raw[i].0 > 0.0).collect();
            prop_assume!(!bad.is_empty());
            let before = confidence(&view(&raw));
            raw[*at.get(&bad)].0 += more;
            prop_assert!(confidence(&view(&raw)) >= before);
        }

        #[test]
        fn never_high_without_decisive(raw in reasons()) {
            let mut there = view(&raw);
            for r in &mut there {
                r.decisive = r.decisive && r.weight <= 0.0;
            }
            prop_assert!(confidence(&there) <= Confidence::MAX_UNDECIDED);
        }

        #[test]
        fn good_evidence_never_raises(raw in reasons(), weight in -9.0f32..0.0, word in 0usize..5) {
            let mut there = view(&raw);
            let before = confidence(&there);
            there.push(Reason { weight, correlate: WORDS[word], decisive: true });
            prop_assert!(confidence(&there) <= before);
        }
    }
}

//! The multiplier of a limit, by itself.

use proptest::prelude::*;
use train::Multiplier;

/// The bounds of λ in these tests.
const BOUNDS: (f64, f64) = (1e-6, 1e6);

proptest! {
    /// Within its bounds λ rises if and only if there was an excess, and falls if and only if there was room.
    #[test]
    fn it_rises_where_the_limit_is_broken_and_nowhere_else(
        log in -13.0..13.0f64,
        limit in 0.0..1.0f64,
        share in 0.0..=1.0f64,
        step in 1e-3..0.5f64,
    ) {
        // Where the excess is lost in λ's own digits nothing moves.
        prop_assume!(share == limit || (share - limit).abs() > 1e-9);
        let before = Multiplier { log };
        let mut after = before;
        after.ascend(step, share - limit);
        let after = after.within(BOUNDS);
        prop_assert_eq!(after.log.partial_cmp(&before.log), share.partial_cmp(&limit));
        prop_assert!((after.log - log - step * (share - limit)).abs() < 1e-12);
    }

    /// Whatever comes, λ stays within its bounds, finite and above 0, and leaves them as soon as it may.
    #[test]
    fn it_never_leaves_its_bounds(shares in prop::collection::vec(0.0..=1.0f64, 1..50), step in 0.0..1e6f64, log in -13.0..13.0f64) {
        let mut multiplier = Multiplier { log };
        for share in shares {
            multiplier.ascend(step, share - 0.5);
            multiplier = multiplier.within(BOUNDS);
            prop_assert!((BOUNDS.0.ln()..=BOUNDS.1.ln()).contains(&multiplier.log) && multiplier.value() > 0.0);
        }
        let at_most = Multiplier { log: 1e9 }.within(BOUNDS);
        let mut falling = at_most;
        falling.ascend(0.1, -0.5);
        prop_assert!(falling.within(BOUNDS).log < at_most.log);
    }
}

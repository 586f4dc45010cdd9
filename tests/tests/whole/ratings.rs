//! Ratings by what was won: against closed forms, and in a run against M as it was.

use debate::draw::Draw;
use elenchus::results::{
    ratings::{Games, Player, rate, ratings},
    summary::summary,
};
use tests::{load, run, small};

fn games(one: usize, other: usize, won: f64, lost: f64) -> Games {
    Games { players: (one, other), won: (won, lost) }
}

#[test]
fn odds_of_three_to_one_are_191_points() {
    let rated = rate(2, &[games(1, 0, 75.0, 25.0)]).unwrap();
    let expected = 400.0 * 3f64.log10();
    assert_eq!((rated[0].points, rated[0].half), (0.0, 0.0));
    assert!((rated[1].points - expected).abs() < 1e-6, "{rated:?}");
    // The variance of the log odds is 1 / (n p (1 - p)).
    let half = 400.0 / 10f64.ln() * 1.959_964 / (100.0f64 * 0.75 * 0.25).sqrt();
    assert!((rated[1].half - half).abs() < 1e-6, "{rated:?}");
}

#[test]
fn odds_multiply_along_a_chain() {
    let rated = rate(3, &[games(1, 0, 60.0, 40.0), games(2, 1, 80.0, 20.0)]).unwrap();
    assert!((rated[2].points - 400.0 * (1.5f64 * 4.0).log10()).abs() < 1e-6);
    assert!(rated[2].half > rated[1].half, "what is further away is known less well");
}

#[test]
fn who_never_met_cannot_be_rated_and_who_won_all_can() {
    assert_eq!(rate(3, &[games(1, 0, 3.0, 2.0)]), None);
    assert_eq!(rate(0, &[]), None);
    let rated = rate(2, &[games(0, 1, 0.0, 30.0)]).unwrap();
    assert!((rated[1].points - 400.0 * (30.5f64 / 0.5).log10()).abs() < 1e-6);
}

/// At the likeliest ratings each player is expected to win as much as it did.
#[test]
fn each_is_expected_to_win_what_it_won() {
    let pairs = [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)];
    for seed in 0..50 {
        let number = |position: usize| (1 + Draw::new(seed).below(position as u32, 49)) as f64;
        let games: Vec<Games> =
            (0..6).map(|i| games(pairs[i].0, pairs[i].1, number(2 * i), number(2 * i + 1))).collect();
        let rated = rate(4, &games).unwrap();
        let (mut expected, mut won) = ([0.0; 4], [0.0; 4]);
        for Games { players: (one, other), won: (a, b) } in games {
            let of_one = 1.0 / (1.0 + 10f64.powf((rated[other].points - rated[one].points) / 400.0));
            expected[one] += (a + b) * of_one;
            expected[other] += (a + b) * (1.0 - of_one);
            won[one] += a;
            won[other] += b;
        }
        assert!(expected.iter().zip(won).all(|(expected, won)| (expected - won).abs() < 1e-6), "{expected:?} {won:?}");
    }
}

/// Of many tournaments the intervals hold the true difference in about 95 of 100.
#[test]
fn intervals_hold_the_truth() {
    let truth = 100.0;
    let odds = 10f64.powf(truth / 400.0);
    let held = (0..400u64).filter(|&seed| {
        let wins = (0..200).filter(|&game| Draw::new(seed).uniform(game) < odds / (1.0 + odds)).count() as f64;
        let rated = rate(2, &[games(1, 0, wins, 200.0 - wins)]).unwrap()[1];
        (rated.points - truth).abs() <= rated.half
    });
    let held = held.count();
    assert!((364..=396).contains(&held), "{held} of 400");
}

#[test]
fn a_run_against_m_as_it_was_is_rated() {
    let opponent = "\n[model.before]\ncopy_of = \"agent\"\n\n[amplify.before]\nmodel = \"before\"\nhuman = \"expert\"\n\
                    call_human = \"never\"\n\n[sync.catch_up]\nafter = \"step\"\nfrom_model = \"agent\"\n\
                    to_model = \"before\"\nevery = 8\n";
    let source = small("web-of-lies", 20)
        .replace("max_turns = 2", "max_turns = 2\nsufficient = \"never\"\nopponent = \"before\"")
        + opponent;
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("run");
    run(&source, &root);
    let lines = batch::Run::open(&root).unwrap();
    let found = ratings(&load(&source).pipeline, lines.lines());
    assert_eq!(found.len(), 1);
    let players: Vec<&Player> = found[0].players.iter().map(|(player, _)| player).collect();
    assert_eq!(players[0], &Player::Fixed("before".into()));
    // Stretches of two batches, and where the opponent changes: after 8 and after 16.
    assert!(players[1..].iter().all(|player| matches!(player, Player::Stretch(first, end) if end - first == 2)));
    assert!(summary(&root).unwrap().contains("Elo of `agent` by `verdicts`"));
}

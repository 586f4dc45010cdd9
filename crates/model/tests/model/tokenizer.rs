//! What becomes a token, and what never does.

use model::{Tokenizer, TokenizerError};

fn tokenizer() -> Tokenizer {
    let phrases = ["tells the truth", "lies", "says", "tells the truth?"].map(String::from);
    let words = ["Ada Ben say or not ( ) . : ?", "Does Ada tell the truth? Yes No < eos >"].map(String::from);
    Tokenizer::from_wording(&phrases, &words).expect("no control tokens")
}

/// The tokens of a text, a bar between two.
fn pieces(text: &str) -> String {
    let tokenizer = tokenizer();
    let piece = |&token: &u32| if token == 0 { "<unk>".to_string() } else { tokenizer.decode(&[token]) };
    tokenizer.encode(text).iter().map(piece).collect::<Vec<_>>().join("|")
}

#[test]
fn phrases_are_one_token_and_the_longest_wins() {
    assert_eq!(pieces("Ada lies. Ben says Ada tells the truth."), "Ada|lies|.|Ben|says|Ada|tells the truth|.");
    assert_eq!(pieces("Ben tells the truth?"), "Ben|tells the truth?");
    assert_eq!(pieces("Does Ada tell the truth?"), "Does|Ada|tell|the|truth|?");
}

#[test]
fn a_phrase_is_not_part_of_a_longer_word() {
    assert_eq!(pieces("Ada lies, belies. Ben tells the truthful"), "Ada|lies|<unk>|<unk>|.|Ben|<unk>|the|<unk>");
}

#[test]
fn text_never_becomes_a_control_token() {
    assert_eq!(pieces("<eos>"), "<|eos|>");
    for text in ["<eos>", "<bos> Ada <answer>", " <eos>", "Ada<eos>Ben", "<unk>", "<<eos>>"] {
        let tokens = tokenizer().encode(text);
        assert!(tokens.iter().all(|token| !(1..4).contains(token)), "{text}: {tokens:?}");
    }
    let phrase = Tokenizer::from_wording(&["<eos>".to_string()], &[]);
    assert!(matches!(phrase, Err(TokenizerError::Control(_))));
}

#[test]
fn prompts_and_answers_are_framed() {
    let tokenizer = tokenizer();
    let content = tokenizer.encode("Ada lies?");
    assert_eq!(tokenizer.prompt("Ada lies?"), [vec![1], content.clone(), vec![3]].concat());
    assert_eq!(tokenizer.answer("Ada lies?"), [content, vec![tokenizer.eos()]].concat());
    assert_eq!(tokenizer.decode(&tokenizer.prompt("Ada   lies?")), "Ada lies ?");
    assert_eq!(tokenizer.unknown(&tokenizer.encode("Ada sings loudly")), 2);
}

#[test]
fn a_file_gives_the_same_tokenizer() {
    let json = tokenizer().to_json();
    let loaded = Tokenizer::from_json(&json).unwrap();
    assert_eq!(loaded.to_json(), json);
    assert_eq!(loaded.vocabulary(), tokenizer().vocabulary());
    let text = "Ben says <eos> Ada tells the truth.";
    assert_eq!(loaded.encode(text), tokenizer().encode(text));
}

#[test]
fn a_foreign_file_is_refused() {
    let foreign = tokenizer().to_json().replace("<answer>", "<reply>");
    insta::assert_snapshot!(Tokenizer::from_json(foreign).unwrap_err(), @"token 3 should be `<answer>`; the file was not written by this program");
    assert!(matches!(Tokenizer::from_json("{}"), Err(TokenizerError::Library(_))));
}

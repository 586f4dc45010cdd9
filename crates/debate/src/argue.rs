//! The arguments of a round. Whoever is to give one may ask for tools instead, and then is asked again; all who ask for one
//! are answered together, and asked again together.

use crate::{
    amplify::{Amplified, Open, WaveError},
    debate::{Argument, Debate, Models, Rules, Voice},
    draw::Draw,
    inspect::{Look, Tools, Use},
    judge::Side,
    question::Posed,
    tool::{Finding, asked_for},
};
use spec::settings::Tool;
use std::ops::Range;

/// Somebody who is to argue.
struct Turn {
    /// In which of the debates.
    debate: usize,
    voice: Voice,
    /// The question for the argument, as it is put next.
    open: Open,
    /// Its address before any tool was asked for.
    first: Draw,
    /// The tools so far.
    uses: Vec<Use>,
}

/// The arguments of some turns, in one wave for each who argues, after those in which tools are asked for: none of them is
/// in another's context.
pub(crate) fn argue(
    rules: &Rules<'_>,
    models: &mut Models<'_>,
    turns: Range<usize>,
    open: &mut [&mut Debate],
) -> Result<(), WaveError> {
    let tools = rules.tools.filter(|tools| turns.start > 0 && tools.settings.uses > 0);
    let mut waiting = waiting(rules, &turns, tools, open);
    let mut given: Vec<(Turn, Amplified)> = Vec::new();
    for left in (0..=tools.map_or(0, |tools| tools.settings.uses)).rev() {
        let answers = answers(rules, models, &turns, &waiting)?;
        let mut asking = Vec::new();
        for (turn, answer) in waiting.into_iter().zip(answers) {
            match asked_for(answer.text(), &turn.open.posed.tools) {
                Some(tool) => asking.push((turn, answer, tool)),
                None => given.push((turn, answer)),
            }
        }
        waiting = match tools {
            Some(tools) => looked(rules, tools, open, asking, left > 1)?,
            None => Vec::new(),
        };
    }
    given.sort_by_key(|(turn, _)| (turn.debate, turn.open.posed.turn));
    for (Turn { debate, voice, open: asked, uses, .. }, answer) in given {
        let held = asked.posed.held;
        open[debate].arguments.push(Argument { answer, voice, held, uses, sufficient: None, summary: None });
    }
    Ok(())
}

/// Who is to argue, debate by debate.
fn waiting(rules: &Rules<'_>, turns: &Range<usize>, tools: Option<Tools<'_>>, open: &[&mut Debate]) -> Vec<Turn> {
    let of = |(debate, it): (usize, &&mut Debate)| -> Vec<Turn> {
        let turn = |turn: usize| {
            let mut open = it.argument(turn, rules.history);
            open.posed.tools = tools.map_or_else(Vec::new, |tools| tools.settings.tools.clone());
            Turn { debate, voice: rules.voice(&it.row, turn), first: open.draw, open, uses: Vec::new() }
        };
        turns.clone().map(turn).collect()
    };
    open.iter().enumerate().flat_map(of).collect()
}

/// What each says, in order. Who may argue is asked even where nobody is left to ask, so that a budget counts the wave.
fn answers(
    rules: &Rules<'_>,
    models: &mut Models<'_>,
    turns: &Range<usize>,
    waiting: &[Turn],
) -> Result<Vec<Amplified>, WaveError> {
    let mut answers: Vec<Option<Amplified>> = vec![None; waiting.len()];
    for voice in Voice::ALL.into_iter().filter(|voice| turns.clone().any(|turn| rules.may_argue(*voice, turn))) {
        let places: Vec<usize> = (0..waiting.len()).filter(|&place| waiting[place].voice == voice).collect();
        let wave: Vec<Open> = places.iter().map(|&place| waiting[place].open.clone()).collect();
        let answered = match (voice, &rules.opponent, &mut models.opponent) {
            (Voice::Opponent, Some(opponent), Some(m)) => opponent.answer(*m, &wave)?,
            _ => rules.speaker.answer(models.speaker, &wave)?,
        };
        places.into_iter().zip(answered).for_each(|(place, answer)| answers[place] = Some(answer));
    }
    Ok(answers.into_iter().flatten().collect())
}

/// Those who asked for a tool, each with what that said in its context; and whether they may ask for another.
fn looked(
    rules: &Rules<'_>,
    tools: Tools<'_>,
    open: &[&mut Debate],
    asking: Vec<(Turn, Amplified, Tool)>,
    again: bool,
) -> Result<Vec<Turn>, WaveError> {
    let look = |(turn, _, tool): &(Turn, Amplified, Tool)| {
        let debate = &open[turn.debate];
        let draw = turn.open.draw.named("look");
        let (posed, argument) = inspected(debate, turn.open.posed.turn);
        Look { tool: *tool, posed, argument, draw }
    };
    let looks: Vec<Look<'_>> = asking.iter().map(look).collect();
    let texts = tools.look(|voice| rules.of(voice).amp.human, rules.speaker.amp.wording, &looks)?;
    let versions: Vec<u64> = looks.iter().map(|look| look.argument.answer.first.sampled.version).collect();
    let heard = |((mut turn, asked, tool), (text, version)): ((Turn, _, _), (String, u64))| {
        let posed = &mut turn.open.posed;
        posed.findings.push(Finding { turn: posed.turn, text: text.clone() });
        if !again {
            posed.tools.clear();
        }
        turn.uses.push(Use { asked, tool, text, version });
        turn.open.draw = turn.first.named("tool").at(turn.uses.len() as u64);
        turn
    };
    Ok(asking.into_iter().zip(texts.into_iter().zip(versions)).map(heard).collect())
}

/// The other side's last argument before a turn, with the question for it.
fn inspected(debate: &Debate, turn: usize) -> (Posed, &Argument) {
    let others = (0..debate.arguments.len()).filter(|at| Side::at(*at) != Side::at(turn));
    let at = others.max().expect("tools are for those who argue after the other side");
    (debate.posed_at(at), &debate.arguments[at])
}

//! The debate and the judge of a run, on questions whose gold answers are known: the rows of an evaluation that take
//! them. M argues, and the judge's H, who may consult the judge's M_target, is always asked. So a row depends on what
//! was learnt, and not on how often H is called while it is.
//!
//! Consultancy and a judge without a transcript are the references of Khan et al. (2024) and Kenton et al. (2024); best of n
//! is that of Stiennon et al. (2020), with the judge in place of a reward model.

use super::{Amplifier, understudy::Beside};
use crate::stages::{
    evaluation::{Known, Said},
    states::Probes,
    tools::{Inspecting, Looking},
    wins,
};
use batch::{StageError, Unit};
use debate::{
    amplify::Approx,
    answerer::{Answer, Answerer, Prompt},
    cost::Cost,
    debate::{Debate, Models, Row as Debated, Rules, debate},
    draw::Draw,
    judge::{Side, Transcript, finds_for_even},
    question::{Asked, Form, Posed, same, stated},
    samp::{Rule, Samp},
};
use spec::settings::{History, Row, SpeakerSide, Sufficient, Wording};

/// A debate and its judge.
pub struct Procedure {
    /// Whose M argues.
    pub speaker: Amplifier,
    /// Whose M argues against it, where it does not argue on both sides.
    pub opponent: Option<Amplifier>,
    /// On which side the speaker argues against an opponent.
    pub speaker_side: SpeakerSide,
    /// What debaters may look into each other with, if they may.
    pub inspecting: Option<Inspecting>,
    /// In which form questions are debated.
    pub form: Form,
    /// Who says whether an argument suffices.
    pub overseer: Amplifier,
    /// Who judges.
    pub judge: Amplifier,
    /// The fewest arguments of a debate.
    pub min_turns: usize,
    /// The most.
    pub max_turns: usize,
    /// Who says that an argument suffices.
    pub sufficient: Sufficient,
    /// What of former arguments stands in the context.
    pub history: History,
    /// How the debate words its questions.
    pub wording: Wording,
    /// The two answers of the judge's task.
    pub answers: [&'static str; 2],
}

/// What the judge found for, and what it cost; `None` where it said neither yes nor no.
type Found = (Option<bool>, Cost);

impl Procedure {
    /// One answer for each question. Randomness is at addresses below `draw`.
    pub fn answers(
        &self,
        row: Row,
        unit: &mut Unit<'_>,
        draw: Draw,
        known: &[Known<'_>],
    ) -> Result<Vec<Said>, StageError> {
        let draw = draw.named(&row.name());
        let form = match row {
            Row::Debate => self.form,
            Row::BestOf(_) => Form::Simultaneous,
            // Whoever argues alone has nobody to take turns with.
            _ => Form::Sequential,
        };
        let debated = |(i, known): (u64, &Known<'_>)| {
            let question = known.question.to_owned();
            Debated { id: i, question, form, draw: draw.at(i) }
        };
        let rows: Vec<Debated> = (0..).zip(known).map(debated).collect();
        match row {
            Row::Debate => self.debated(unit, &rows),
            Row::BestOf(count) => self.best_of(unit, &rows, count as usize),
            Row::NoTranscript => self.chosen(unit, &rows),
            Row::Consultancy => {
                let drawn = |row: &Debated| self.answers[row.draw.named("assigned").below(0, 2)];
                self.argued(unit, &rows, &rows.iter().map(drawn).collect::<Vec<_>>())
            }
            Row::Expert => self.argued(unit, &rows, &known.iter().map(|known| known.gold).collect::<Vec<_>>()),
            Row::Naive | Row::Human | Row::Amplified | Row::Hch(_) => Ok(Vec::new()),
        }
    }

    /// The answers of the sides that win. A debate of one argument has one side, and nobody is asked. Where somebody argues
    /// against the speaker, notes how often that wins.
    fn debated(&self, unit: &mut Unit<'_>, rows: &[Debated]) -> Result<Vec<Said>, StageError> {
        let looking = self.looking(unit)?;
        // Whoever argues does so without H.
        let (nobody, overseeing) = (Beside::default(), self.overseer.examined(unit)?);
        let rules = Rules {
            speaker: self.approx(&self.speaker, 0.0, &nobody),
            opponent: self.opponent.as_ref().map(|opponent| self.approx(opponent, 0.0, &nobody)),
            speaker_side: self.speaker_side,
            overseer: self.approx(&self.overseer, 1.0, &overseeing),
            min_turns: self.min_turns,
            max_turns: self.max_turns,
            sufficient: &self.sufficient,
            tools: looking.as_ref().map(Looking::tools),
            history: self.history,
            batch: unit.batch,
        };
        let (mut m, mut target) = (self.speaker.answerer_at(unit, 0.0)?, self.overseer.answerer_at(unit, 0.0)?);
        let mut other = self.opponent.as_ref().map(|opponent| opponent.answerer_at(unit, 0.0)).transpose()?;
        let opponent = other.as_mut().map(|other| other as &mut dyn Answerer);
        let debates = debate(&rules, &mut Models { speaker: &mut m, opponent, overseer: &mut target }, rows)?;
        let two_sided: Vec<Transcript> =
            debates.iter().filter(|it| it.arguments.len() > 1).map(|debate| self.transcript(debate)).collect();
        let mut judged = self.judged(unit, Asked::Winner, &two_sided)?.into_iter();
        let alone = (Some(true), Cost::default());
        let found: Vec<Found> = debates
            .iter()
            .map(|debate| if debate.arguments.len() > 1 { judged.next().unwrap_or_default() } else { alone })
            .collect();
        if self.opponent.is_some() {
            let winner = |even: bool| if even { Side::Even } else { Side::Odd };
            let decided = debates.iter().zip(&found).filter(|(debate, _)| debate.arguments.len() > 1);
            let won = decided.map(|(debate, (even, _))| (even.map(winner), rules.side_of_speaker(&debate.row)));
            let count = wins::count(won);
            wins::note(unit, count);
            wins::note_interval(unit, count);
        }
        let said = |(debate, (even, cost)): (&Debate, Found)| Said {
            text: self.of_winner(debate, even),
            cost: cost + cost_of(debate),
        };
        Ok(debates.iter().zip(found).map(said).collect())
    }

    /// The tools, with the probes as the debates of the run have left them.
    fn looking<'a>(&self, unit: &Unit<'a>) -> Result<Option<Looking<'a>>, StageError> {
        let Some(inspecting) = &self.inspecting else { return Ok(None) };
        let probes = inspecting.probes.as_ref().map(|name| unit.read::<Probes>(name)).transpose()?;
        let probes = probes.cloned().unwrap_or_default();
        inspecting.looking(unit, &self.speaker, self.opponent.as_ref(), probes).map(Some)
    }

    /// What was said in a debate.
    fn transcript(&self, debate: &Debate) -> Transcript {
        let arguments = debate.arguments.iter().map(|argument| argument.answer.text().to_owned()).collect();
        let (shown, findings) = (debate.shown(self.history), debate.findings());
        Transcript { row: debate.row.clone(), arguments, shown, findings }
    }

    /// The answer of the side that wins: its last. Where sides take turns freely, the odd one argues for the answer that
    /// the even one does not give; where both give answers and nobody wins, it is the one that they agree on.
    fn of_winner(&self, debate: &Debate, even: Option<bool>) -> String {
        let last = |side: usize| {
            let argument = debate.arguments.iter().skip(side).step_by(2).next_back();
            argument.map_or("", |argument| argument.held.unwrap_or_else(|| stated(argument.answer.text())))
        };
        match (debate.row.form, even) {
            (Form::Sequential, _) | (_, Some(true)) => self.upheld(even, last(0)),
            (_, Some(false)) => last(1).to_owned(),
            (_, None) if same(last(0), last(1)) => last(0).to_owned(),
            (_, None) => String::new(),
        }
    }

    /// Of so many answers that M gives, at temperature 1, the one that stays: the judge holds the best so far against each
    /// further one, as two sides that answer at the same time, and keeps it unless it finds for that. Of two that say the
    /// same nobody is asked.
    fn best_of(&self, unit: &Unit<'_>, rows: &[Debated], count: usize) -> Result<Vec<Said>, StageError> {
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let prompts = rows.iter().flat_map(|row| {
            let text = Posed::bare(&row.question).text(&self.wording);
            let draw = row.draw.named("sample");
            (0..count as u64).map(move |sample| Prompt { text: text.clone(), begin: None, draw: draw.at(sample) })
        });
        let answers = self.speaker.answerer_at(unit, 1.0)?.answer(&prompts.collect::<Vec<_>>())?;
        let mut best: Vec<Said> = answers.chunks(count).map(first_of).collect();
        for round in 1..count {
            let further = answers.iter().skip(round).step_by(count).map(|answer| answer.text.as_str());
            self.hold_against(unit, rows, &mut best, &further.collect::<Vec<_>>(), round as u64)?;
        }
        Ok(best.into_iter().map(|said| Said { text: stated(&said.text).to_owned(), ..said }).collect())
    }

    /// Puts a further answer to each question in the place of the best so far, where the judge finds for it.
    fn hold_against(
        &self,
        unit: &Unit<'_>,
        rows: &[Debated],
        best: &mut [Said],
        further: &[&str],
        round: u64,
    ) -> Result<(), StageError> {
        let places: Vec<usize> = (0..rows.len()).filter(|&at| !same(&best[at].text, further[at])).collect();
        let both = |&at: &usize| {
            let row = Debated { draw: rows[at].draw.named("against").at(round), ..rows[at].clone() };
            Transcript::new(row, vec![best[at].text.clone(), further[at].to_owned()])
        };
        let found = self.judged(unit, Asked::Winner, &places.iter().map(both).collect::<Vec<_>>())?;
        for (at, (even, cost)) in places.into_iter().zip(found) {
            best[at].cost = best[at].cost + cost;
            if even == Some(false) {
                further[at].clone_into(&mut best[at].text);
            }
        }
        Ok(())
    }

    /// The answers that the judge finds for without an argument. Which of the two comes first is drawn.
    fn chosen(&self, unit: &Unit<'_>, rows: &[Debated]) -> Result<Vec<Said>, StageError> {
        let firsts: Vec<&str> = rows.iter().map(|row| self.answers[row.draw.named("first").below(0, 2)]).collect();
        let both = |(row, first): (&Debated, &&str)| {
            Transcript::new(row.clone(), vec![(*first).to_owned(), self.other(first)])
        };
        let transcripts: Vec<Transcript> = rows.iter().zip(&firsts).map(both).collect();
        let found = self.judged(unit, Asked::Choice, &transcripts)?;
        let said = |(first, (even, cost)): (&str, Found)| Said { text: self.upheld(even, first), cost };
        Ok(firsts.into_iter().zip(found).map(said).collect())
    }

    /// The assigned answers where the judge accepts what M argues for them, and the others where it rejects it.
    fn argued(&self, unit: &Unit<'_>, rows: &[Debated], assigned: &[&str]) -> Result<Vec<Said>, StageError> {
        let prompt = |(row, assigned): (&Debated, &&str)| {
            let text = Posed::bare(&row.question).text(&self.wording);
            Prompt { text, begin: Some((*assigned).to_owned()), draw: row.draw }
        };
        let prompts: Vec<Prompt> = rows.iter().zip(assigned).map(prompt).collect();
        if prompts.is_empty() {
            return Ok(Vec::new());
        }
        let arguments = self.speaker.answerer_at(unit, 0.0)?.answer(&prompts)?;
        let alone = |(row, argument): (&Debated, &Answer)| Transcript::new(row.clone(), vec![argument.text.clone()]);
        let transcripts: Vec<Transcript> = rows.iter().zip(&arguments).map(alone).collect();
        let found = self.judged(unit, Asked::Winner, &transcripts)?;
        let said = |((assigned, argument), (even, cost)): ((&&str, &Answer), Found)| Said {
            text: self.upheld(even, assigned),
            cost: cost + argument.cost(),
        };
        Ok(assigned.iter().zip(&arguments).zip(found).map(said).collect())
    }

    /// What the judge finds for, of each transcript.
    fn judged(&self, unit: &Unit<'_>, asked: Asked, transcripts: &[Transcript]) -> Result<Vec<Found>, StageError> {
        let (mut target, beside) = (self.judge.answerer_at(unit, 0.0)?, self.judge.examined(unit)?);
        Ok(finds_for_even(&self.judge.amp(&self.wording, &beside), &mut target, asked, transcripts)?)
    }

    /// The answer of the side that is found for.
    fn upheld(&self, even: Option<bool>, answer: &str) -> String {
        match even {
            Some(true) => answer.to_owned(),
            Some(false) => self.other(answer),
            None => String::new(),
        }
    }

    /// The other of the two answers; none against what is neither.
    fn other(&self, answer: &str) -> String {
        let [one, other] = self.answers;
        let others = [(one, other), (other, one)];
        let found = others.into_iter().find(|(of, _)| same(of, answer));
        found.map_or_else(String::new, |(_, other)| other.to_owned())
    }

    fn approx<'a>(&'a self, of: &'a Amplifier, probability: f64, beside: &'a Beside<'_>) -> Approx<'a> {
        let samp = Samp { rule: Rule::Constant(probability), purse: None, adversary: None };
        Approx { amp: of.amp(&self.wording, beside), samp }
    }
}

/// The first of some answers, at the cost of all.
fn first_of(answers: &[Answer]) -> Said {
    Said { text: answers[0].text.clone(), cost: answers.iter().map(Answer::cost).sum() }
}

/// What its arguments cost, the asking for tools, whether they suffice, and what they say in short.
fn cost_of(debate: &Debate) -> Cost {
    let asked = debate.arguments.iter().flat_map(|argument| {
        let used = argument.uses.iter().map(|used| &used.asked);
        used.chain([&argument.answer]).chain(argument.sufficient.as_ref()).chain(argument.summary.as_ref())
    });
    asked.map(|answer| answer.cost()).sum()
}

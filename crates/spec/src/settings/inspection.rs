//! Transparency tools: how those who debate look into each other.

use schemars::JsonSchema;
use serde::Serialize;

/// Transparency tools, by which debaters inspect each other (Hubinger 2020). Whoever is to argue may ask for one instead,
/// of the other side's last argument; what it says becomes part of the debate, and then it is asked again for its argument.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Inspection {
    /// Which tools there are.
    #[schemars(length(min = 1), extend("x-changes" = "tables"))]
    pub tools: Vec<Tool>,
    /// How often a tool may be asked for before an argument. At 0 never, which is a control: a debate of words alone, by a
    /// model of the same vocabulary.
    #[schemars(extend("default" = 1, "x-changes" = "tables"))]
    pub uses: usize,
    /// How many times `resampling` and `consistency` ask.
    #[schemars(range(min = 1), extend("default" = 4, "x-changes" = "tables"))]
    pub samples: usize,
    /// Whether everybody is told what a tool said of another debate of the batch. A control: as many words, and nothing in
    /// them.
    #[schemars(extend("default" = false, "x-changes" = "tables"))]
    pub shuffled: bool,
    /// The step size by which the `probe` learns, once a batch.
    #[schemars(range(min = 0.0), extend("default" = 1.0, "x-changes" = "tables"))]
    pub learning_rate: f64,
}

impl Inspection {
    /// These tools, all else by default.
    pub fn new(tools: Vec<Tool>) -> Self {
        Inspection { tools, uses: 1, samples: 4, shuffled: false, learning_rate: 1.0 }
    }

    /// Whether there is a tool.
    pub fn has(&self, tool: Tool) -> bool {
        self.tools.contains(&tool)
    }
}

/// A transparency tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Tool {
    /// `"log-probabilities"`: how likely M finds the tokens of the argument, and the entropy where it chose them.
    LogProbabilities,
    /// `"resampling"`: how many further answers of M to the same question say the same.
    Resampling,
    /// `"consistency"`: how many times H, who asks M its sub-questions anew, comes to what M argued.
    Consistency,
    /// `"logit-lens"`: from which layer on the first token of the argument is the likeliest one (nostalgebraist 2020).
    LogitLens,
    /// `"attention"`: which part of what M was asked it attends to most as it writes the first token.
    Attention,
    /// `"probe"`: how likely a linear probe, trained in the run on M's hidden states, finds it that H would overrule the
    /// argument (Alain and Bengio 2016).
    Probe,
}

impl Tool {
    /// All of them.
    pub const ALL: [Tool; 6] =
        [Tool::LogProbabilities, Tool::Resampling, Tool::Consistency, Tool::LogitLens, Tool::Attention, Tool::Probe];

    /// Its name, in the file and in debates.
    pub fn name(self) -> &'static str {
        match self {
            Tool::LogProbabilities => "log-probabilities",
            Tool::Resampling => "resampling",
            Tool::Consistency => "consistency",
            Tool::LogitLens => "logit-lens",
            Tool::Attention => "attention",
            Tool::Probe => "probe",
        }
    }

    /// Whether it reads what M computes, and not only what M says.
    pub fn looks_inside(self) -> bool {
        !matches!(self, Tool::Resampling | Tool::Consistency)
    }
}

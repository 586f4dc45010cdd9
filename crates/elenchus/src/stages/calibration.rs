//! How far probabilities can be believed: those given beside how often what they were given to was true.

/// A probability, and whether that which it was given to is true.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Forecast {
    /// The probability.
    pub probability: f64,
    /// Whether it is so.
    pub is_true: bool,
}

/// How many bins of equal width there are from 0 to 1.
const BINS: usize = 10;

/// The forecasts whose probabilities are in a bin.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bin {
    /// How many.
    pub count: u32,
    /// Their mean probability.
    pub probability: f64,
    /// The share of those that are true.
    pub share: f64,
}

/// The mean of (p − y)², with y 1 for what is true and 0 for what is not (Brier 1950, his sum over two classes halved): 0 is
/// best, 0.25 is what 0.5 for everything comes to. None without forecasts.
pub fn brier(forecasts: &[Forecast]) -> Option<f64> {
    let sum: f64 = forecasts.iter().map(|it| (it.probability - truth(it)).powi(2)).sum();
    (!forecasts.is_empty()).then(|| sum / forecasts.len() as f64)
}

/// The bins that have forecasts, by rising probability. A probability of 1 is in the last.
pub fn bins(forecasts: &[Forecast]) -> Vec<Bin> {
    let place = |it: &&Forecast| ((it.probability * BINS as f64) as usize).min(BINS - 1);
    let bin = |bin: usize| {
        let inside: Vec<&Forecast> = forecasts.iter().filter(|it| place(it) == bin).collect();
        let mean = |of: fn(&Forecast) -> f64| inside.iter().map(|it| of(it)).sum::<f64>() / inside.len() as f64;
        let (probability, share) = (mean(|it| it.probability), mean(truth));
        (!inside.is_empty()).then_some(Bin { count: inside.len() as u32, probability, share })
    };
    (0..BINS).filter_map(bin).collect()
}

/// The expected calibration error: the distance of the two means of a bin, averaged over the forecasts (Naeini et al. 2015;
/// Guo et al. 2017, equation 3). Of few forecasts it is too large, as chance alone keeps the means apart.
pub fn calibration_error(bins: &[Bin]) -> Option<f64> {
    let all: f64 = bins.iter().map(|bin| f64::from(bin.count)).sum();
    let apart: f64 = bins.iter().map(|bin| f64::from(bin.count) * (bin.share - bin.probability).abs()).sum();
    (!bins.is_empty()).then(|| apart / all)
}

fn truth(forecast: &Forecast) -> f64 {
    f64::from(u8::from(forecast.is_true))
}

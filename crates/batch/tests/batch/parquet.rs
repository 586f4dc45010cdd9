//! The bytes of a table depend on the table alone.

use batch::parquet::{decode, encode};
use polars::prelude::{DataFrame, NamedFrom, Series, df};
use proptest::prelude::*;

/// Rows of a text, an optional number and a list.
type Rows = Vec<(String, Option<f64>, Vec<f32>)>;

fn table(rows: &Rows) -> DataFrame {
    df!(
        "text" => rows.iter().map(|row| row.0.as_str()).collect::<Vec<_>>(),
        "number" => rows.iter().map(|row| row.1).collect::<Vec<_>>(),
        "list" => rows.iter().map(|row| Series::new("".into(), &row.2)).collect::<Vec<_>>(),
    )
    .expect("columns of one length")
}

fn rows() -> impl Strategy<Value = Rows> {
    let number = prop::option::of(any::<f64>());
    prop::collection::vec((".{0,20}", number, prop::collection::vec(any::<f32>(), 0..4)), 1..30)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn bytes_are_of_the_table_alone(rows in rows(), cut in 0.0..1.0_f64) {
        let whole = table(&rows);
        let bytes = encode(&whole).unwrap();
        let read = decode(&bytes).unwrap();
        prop_assert_eq!(&encode(&read).unwrap(), &bytes, "read back");

        let cut = (rows.len() as f64 * cut) as usize;
        let pieces = whole.slice(0, cut).vstack(&whole.slice(cut as i64, rows.len())).unwrap();
        prop_assert_eq!(&encode(&pieces).unwrap(), &bytes, "in two pieces");
    }
}

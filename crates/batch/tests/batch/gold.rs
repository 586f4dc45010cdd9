//! Queries whose columns can be told apart, and queries whose cannot: what is left of one without its gold columns has
//! the same rows, or is not known.

use batch::Sources;
use insta::assert_snapshot;

fn check(query: &str) -> String {
    Sources::new(".").without(query, &["gold"]).unwrap_or_else(|| "not known".to_owned())
}

#[test]
fn a_query_without_its_gold_columns() {
    let queries = [
        "SELECT id, gold FROM q ORDER BY id",
        "SELECT id, UPPER(gold) AS g, text FROM q WHERE id > 2",
        "SELECT gold FROM q",
        "SELECT DISTINCT id, gold FROM q",
        "SELECT gold, id FROM q ORDER BY 1 LIMIT 4",
        "SELECT gold, id FROM q ORDER BY ALL DESC LIMIT 4",
        "SELECT gold, COUNT(*) AS n FROM q GROUP BY 1",
        "SELECT gold, COUNT(*) AS n FROM q GROUP BY ALL",
    ];
    assert_snapshot!(queries.map(check).join("\n"));
}

//! Tables as Parquet bytes. The bytes are part of the promise that a resumed run ends like an unbroken one, so they
//! depend on the table alone: one thread, and none of the statistics, whose form the environment can change.

use std::io::Cursor;

use polars::prelude::{
    DataFrame, ParallelStrategy, ParquetCompression, ParquetReader, ParquetWriter, PolarsResult, SerReader,
    StatisticsOptions,
};

/// The bytes of a table.
pub fn encode(table: &DataFrame) -> PolarsResult<Vec<u8>> {
    let mut bytes = Vec::new();
    ParquetWriter::new(&mut bytes)
        .with_compression(ParquetCompression::Zstd(None))
        .with_statistics(StatisticsOptions::empty())
        .set_parallel(false)
        .finish(&mut table.clone())?;
    Ok(bytes)
}

/// The table in some bytes.
pub fn decode(bytes: &[u8]) -> PolarsResult<DataFrame> {
    ParquetReader::new(Cursor::new(bytes)).read_parallel(ParallelStrategy::None).finish()
}

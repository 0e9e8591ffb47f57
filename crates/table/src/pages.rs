//! Rows into a Parquet file whose bytes depend on the rows alone, for what the next stage reads, and reads whole: quickly made.
//!
//! Polars' writer takes frames, guesses for each column whether a dictionary pays, computes the levels of lists three times, and
//! makes a compressor for each page: by it `clean` took a sixth more time. Here pages are made of [`Batch`]es; their levels are
//! encoded, and the file around them is written, by what that writer is made of. Datasets go through the writer itself ([`Sink`]),
//! for their files have statistics.
//!
//! [`Sink`]: crate::Sink

use lake::{FileStat, Upload};
use polars::prelude::{CompatLevel, PolarsError, PolarsResult, SchemaExt};
use polars_parquet::parquet::CowBuffer;
use polars_parquet::parquet::compression::Compression as Codec;
use polars_parquet::parquet::encoding::Encoding;
use polars_parquet::parquet::encoding::hybrid_rle::{Encoder, encode};
use polars_parquet::parquet::metadata::Descriptor;
use polars_parquet::parquet::page::{
    CompressedDataPage, CompressedDictPage, DataPageHeader, DataPageHeaderV1,
};
use polars_parquet::write::{
    CompressedPage, CompressionOptions, DynIter, DynStreamingIterator, FileWriter, KeyValue,
    StatisticsOptions, Version, WriteOptions, fallible_streaming_iterator,
};
use zstd::bulk::Compressor;

use crate::batch::{Batch, Cells, plain_texts};
use crate::columns::{Column, Kind, schema};
use crate::write::{ROWS_PER_GROUP, UploadHandle, footer};

/// A row group ends, wherever it is, before its texts have more bytes than this (unless one row has).
const BYTES_PER_GROUP: usize = 64 << 20;
/// A column of texts has a dictionary where a row group has no more than so many of them.
const FEW: usize = 16;
/// Of zstd: what is read once need not be small.
const LEVEL: i32 = 1;

/// A Parquet file on its way into the lake; dropped unfinished, it leaves nothing.
pub struct BatchSink {
    writer: FileWriter<UploadHandle>,
    upload: UploadHandle,
    footer: Vec<KeyValue>,
    /// The row group under way: its cells, rows and bytes of texts.
    group: Vec<Cells>,
    rows: usize,
    size: usize,
    all_rows: u64,
    compressor: Compressor<'static>,
}

impl BatchSink {
    /// Starts a file. `metadata` goes into its footer, beside the column table under `offkey:columns`.
    ///
    /// # Errors
    /// Of Polars and zstd.
    pub fn create(upload: Upload, columns: &[Column], metadata: &[(&str, String)]) -> PolarsResult<Self> {
        let schema = schema(columns);
        let upload = UploadHandle::new(upload);
        let options = WriteOptions {
            statistics: StatisticsOptions::empty(),
            version: Version::V1,
            compression: CompressionOptions::Zstd(None),
            data_page_size: None,
        };
        let writer = FileWriter::try_new(upload.clone(), schema.to_arrow(CompatLevel::newest()), options)?;
        Ok(Self {
            writer,
            upload,
            footer: footer(columns, metadata),
            group: Batch::new(columns).cells,
            rows: 0,
            size: 0,
            all_rows: 0,
            compressor: Compressor::new(LEVEL)?,
        })
    }

    /// Adds the rows of a batch of the same columns.
    ///
    /// # Errors
    /// Of Polars and of the store.
    pub fn write(&mut self, batch: &Batch) -> PolarsResult<()> {
        self.all_rows += batch.rows() as u64;
        let mut places = vec![0; self.group.len()];
        let mut at = 0;
        while at < batch.rows() {
            let start = at;
            while let Some(size) = batch.sizes.get(at)
                && self.rows < ROWS_PER_GROUP
                && (self.rows == 0 || self.size + size <= BYTES_PER_GROUP)
            {
                self.rows += 1;
                self.size += size;
                at += 1;
            }
            for ((mine, theirs), place) in self.group.iter_mut().zip(&batch.cells).zip(&mut places) {
                *place = mine.append(theirs, start..at, *place);
            }
            if at < batch.rows() {
                self.write_group()?;
            }
        }
        Ok(())
    }

    fn write_group(&mut self) -> PolarsResult<()> {
        let rows = std::mem::take(&mut self.rows);
        self.size = 0;
        if rows == 0 {
            return Ok(());
        }
        let descriptors = self.writer.parquet_schema().columns().iter().map(|column| &column.descriptor);
        let columns = self
            .group
            .iter()
            .zip(descriptors)
            .map(|(cells, descriptor)| pages(cells, rows, descriptor, &mut self.compressor));
        let columns = columns.collect::<PolarsResult<Vec<_>>>()?;
        let columns = columns.iter().map(|pages| {
            let pages = fallible_streaming_iterator::convert(pages.iter().map(PolarsResult::Ok));
            PolarsResult::Ok(DynStreamingIterator::<_, PolarsError>::new(pages))
        });
        self.writer.write(rows as u64, DynIter::new(columns))?;
        self.group.iter_mut().for_each(Cells::clear);
        Ok(())
    }

    /// Publishes the file.
    ///
    /// # Errors
    /// Of Polars; of the store, nothing being published then.
    pub fn finish(mut self) -> PolarsResult<FileStat> {
        self.write_group()?;
        self.writer.end(Some(std::mem::take(&mut self.footer)))?;
        self.upload.finish(self.all_rows)
    }
}

/// The pages of a column in a row group: a dictionary, if there are few texts, and one page of data.
fn pages(
    cells: &Cells,
    rows: usize,
    descriptor: &Descriptor,
    compressor: &mut Compressor<'_>,
) -> PolarsResult<Vec<CompressedPage>> {
    let mut page = Vec::new();
    let entries = if cells.kind.is_list() {
        list_levels(&cells.lengths, &mut page)?
    } else {
        levels(&mut page, |page| match cells.present.contains(&false) {
            true => encode::<bool, _, _>(page, cells.present.iter().copied(), 1),
            false => <bool as Encoder<bool>>::run_length_encode(page, rows, true, 1),
        })?;
        rows
    };
    let mut pages = Vec::with_capacity(2);
    let texts = matches!(cells.kind, Kind::String | Kind::Strings);
    let encoding = match texts.then(|| few(&cells.values)).flatten() {
        Some((dictionary, numbers)) => {
            let bits = (dictionary.len() - 1).checked_ilog2().unwrap_or(0) + 1;
            page.push(u8::try_from(bits).unwrap_or(u8::MAX));
            encode::<u32, _, _>(&mut page, numbers.into_iter(), bits)?;
            let words = dictionary.concat();
            let packed = CowBuffer::Owned(compressor.compress(&words)?);
            let words = CompressedDictPage::new(packed, Codec::Zstd, words.len(), dictionary.len(), false);
            pages.push(CompressedPage::Dict(words));
            Encoding::RleDictionary
        }
        None if cells.kind == Kind::Bool => {
            let bits = |flags: &[u8]| flags.iter().rev().fold(0, |bits, flag| bits << 1 | flag);
            page.extend(cells.values.chunks(8).map(bits));
            Encoding::Plain
        }
        None => {
            page.extend_from_slice(&cells.values);
            Encoding::Plain
        }
    };
    let header = DataPageHeader::V1(DataPageHeaderV1 {
        num_values: i32::try_from(entries).map_err(std::io::Error::other)?,
        encoding: encoding.into(),
        definition_level_encoding: Encoding::Rle.into(),
        repetition_level_encoding: Encoding::Rle.into(),
        statistics: None,
    });
    let packed = CowBuffer::Owned(compressor.compress(&page)?);
    let data = CompressedDataPage::new(header, packed, Codec::Zstd, page.len(), descriptor.clone(), rows);
    pages.push(CompressedPage::Data(data));
    Ok(pages)
}

/// Which lists have how many values, as Parquet's levels have it: a value begins a list (0) or goes on with it (1), and is there (3);
/// of an empty list there is only that (1). Says how many entries that makes.
fn list_levels(lengths: &[u32], page: &mut Vec<u8>) -> PolarsResult<usize> {
    let entries = || lengths.iter().flat_map(|length| 0..(*length).max(1));
    levels(page, |page| encode::<bool, _, _>(page, entries().map(|n| n > 0), 1))?;
    let there = lengths
        .iter()
        .flat_map(|length| std::iter::repeat_n(1 | u32::from(*length > 0) << 1, (*length).max(1) as usize));
    levels(page, |page| encode::<u32, _, _>(page, there, 2))?;
    Ok(lengths.iter().map(|length| (*length).max(1) as usize).sum())
}

/// Adds levels, with their length in bytes before them.
fn levels(page: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>) -> std::io::Result<()>) -> PolarsResult<()> {
    let start = page.len() + size_of::<u32>();
    page.extend_from_slice(&[0; size_of::<u32>()]);
    write(page)?;
    let length = u32::try_from(page.len() - start).map_err(std::io::Error::other)?;
    page[start - size_of::<u32>()..start].copy_from_slice(&length.to_le_bytes());
    Ok(())
}

/// The different texts, and for each text which one it is, if there are few of them.
fn few(plain: &[u8]) -> Option<(Vec<&[u8]>, Vec<u32>)> {
    let (mut words, mut numbers): (Vec<&[u8]>, Vec<u32>) = (Vec::new(), Vec::new());
    for text in plain_texts(plain) {
        let number = match words.iter().position(|word| *word == text) {
            Some(number) => number,
            None if words.len() == FEW => return None,
            None => {
                words.push(text);
                words.len() - 1
            }
        };
        numbers.push(u32::try_from(number).ok()?);
    }
    (!words.is_empty()).then_some((words, numbers))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use lake::{Location, Store};
    use polars::prelude::DataFrame;
    use proptest::prelude::*;

    use super::*;
    use crate::{Builder, Rows, dropped};

    /// What a cell may hold: a number that texts, flags and numbers are made of.
    type Cell = Option<u8>;

    fn text(n: u8) -> String {
        // Few different ones, or many; some of them long.
        if n < 128 { format!("{}", n % 4) } else { "é".repeat(usize::from(n)) }
    }

    fn strings(n: u8) -> Vec<String> {
        (0..n % 5).map(|n| text(n.wrapping_mul(67))).collect()
    }

    /// The same row for a batch and for a frame.
    fn row(columns: &[Column], cells: &[Cell], batch: &mut Batch, frame: &mut Builder) {
        for (n, column) in columns.iter().enumerate() {
            let (name, cell) = (column.name, cells[n % cells.len()]);
            let whole = cell.map(|n| i64::from(n) << 33 | 7);
            match column.kind {
                Kind::String => {
                    let text = cell.map(text);
                    batch.text(name, text.as_deref());
                    frame.text(name, text.as_deref());
                }
                Kind::Strings => {
                    let list = strings(cell.unwrap_or(0));
                    batch.texts(name, list.iter().map(String::as_str));
                    frame.texts(name, list.iter().map(String::as_str));
                }
                Kind::Bool => {
                    batch.flag(name, cell.map(|n| n % 2 == 0));
                    frame.flag(name, cell.map(|n| n % 2 == 0));
                }
                Kind::I64 | Kind::Time => {
                    batch.whole(name, whole);
                    frame.whole(name, whole);
                }
                Kind::U32 => {
                    let count = u32::MAX - u32::from(cell.unwrap_or(0));
                    batch.count(name, count);
                    frame.count(name, count);
                }
                Kind::F32 => {
                    batch.real32(name, cell.map(|n| f32::from(n) / 3.0));
                    frame.real32(name, cell.map(|n| f32::from(n) / 3.0));
                }
                Kind::F64 => {
                    batch.real64(name, cell.map(|n| f64::from(n) / 3.0));
                    frame.real64(name, cell.map(|n| f64::from(n) / 3.0));
                }
                Kind::I32s | Kind::F32s => unreachable!(),
            }
        }
    }

    /// A file of these rows, given in batches of so many, and the same rows as a frame.
    fn file(rows: &[Vec<Cell>], cuts: &[usize]) -> (DataFrame, Vec<u8>, DataFrame) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&Location::Local(folder.path().to_path_buf())).unwrap();
        let columns = dropped();
        let about = [("about", "a test".to_owned())];
        let mut sink = BatchSink::create(store.create("rows.parquet").unwrap(), &columns, &about).unwrap();
        let mut frame = Builder::new(&columns, rows.len());
        let mut batch = Batch::new(&columns);
        let mut cuts = cuts.iter().cycle();
        let mut left = *cuts.next().unwrap();
        for cells in rows {
            row(&columns, cells, &mut batch, &mut frame);
            left -= 1;
            if left == 0 {
                sink.write(&batch).unwrap();
                batch.clear();
                left = *cuts.next().unwrap();
            }
        }
        sink.write(&batch).unwrap();
        assert_eq!(sink.finish().unwrap().rows, rows.len() as u64);
        let path = folder.path().join("rows.parquet");
        let read = Rows::open(&path, None, usize::MAX >> 1).unwrap().next();
        let read = read.map_or_else(|| crate::empty(&columns), Result::unwrap);
        (read, std::fs::read(path).unwrap(), frame.finish().unwrap())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]

        #[test]
        fn polars_reads_what_was_given(
            rows in prop::collection::vec(prop::collection::vec(any::<Cell>(), 1..7), 0..80),
            cuts in prop::collection::vec(1..40_usize, 1..4),
        ) {
            let (read, bytes, given) = file(&rows, &cuts);
            prop_assert!(read.equals_missing(&given), "{read} {given}");
            prop_assert_eq!(read.schema(), given.schema());
            prop_assert_eq!(file(&rows, &[1_000]).1, bytes, "by other batches");
        }
    }

    #[test]
    fn a_row_group_ends_at_its_row() {
        let rows: Vec<Vec<Cell>> =
            (0..20_000_u32).map(|n| vec![u8::try_from(n % 251).ok().filter(|n| *n > 9), None]).collect();
        let (read, bytes, given) = file(&rows, &[999]);
        assert!(read.equals_missing(&given));
        assert_eq!(file(&rows, &[20_000]).1, bytes);
        assert_eq!(file(&rows, &[ROWS_PER_GROUP, 1]).1, bytes);
    }

    #[test]
    fn a_row_group_of_long_texts_ends_early() {
        let columns = dropped();
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&Location::Local(folder.path().to_path_buf())).unwrap();
        let mut sink = BatchSink::create(store.create("rows.parquet").unwrap(), &columns, &[]).unwrap();
        let mut batch = Batch::new(&columns);
        let long = "x".repeat(BYTES_PER_GROUP / 3);
        for _ in 0..7 {
            for column in &columns {
                match column.kind {
                    Kind::String => batch.text(column.name, (column.name == "text").then_some(&long)),
                    Kind::Strings => batch.texts(column.name, std::iter::empty()),
                    Kind::Bool => batch.flag(column.name, None),
                    Kind::I64 | Kind::Time => batch.whole(column.name, None),
                    Kind::U32 => batch.count(column.name, 0),
                    Kind::F32 => batch.real32(column.name, None),
                    Kind::F64 => batch.real64(column.name, None),
                    Kind::I32s | Kind::F32s => unreachable!(),
                }
            }
        }
        sink.write(&batch).unwrap();
        sink.finish().unwrap();
        let file = std::fs::File::open(folder.path().join("rows.parquet")).unwrap();
        let footer = polars_parquet::read::read_metadata(&mut std::io::BufReader::new(file)).unwrap();
        let rows: Vec<usize> = footer.row_groups.iter().map(|group| group.num_rows()).collect();
        assert_eq!(rows, [3, 3, 1]);
    }

    #[test]
    #[should_panic(expected = "in the order of the column table")]
    fn a_cell_out_of_order_is_a_slip() {
        Batch::new(&dropped()).text("tweet_id", None);
    }

    #[test]
    #[should_panic(expected = "has another type")]
    fn a_cell_of_another_type_is_a_slip() {
        Batch::new(&dropped()).flag("source", None);
    }
}

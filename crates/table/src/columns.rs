//! The columns, in their order.

use polars::prelude::{DataType, Field, PlSmallStr, Schema, TimeUnit, TimeZone};
use serde::Serialize;

/// Version of the tables below; it is part of every fingerprint.
pub const SCHEMA_VERSION: &str = "2";

/// Type of a column's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Kind {
    /// UTF-8 text.
    #[serde(rename = "string")]
    String,
    /// A list of texts, never null, maybe empty.
    #[serde(rename = "list<string>")]
    Strings,
    /// A list of signed 32-bit whole numbers, never null, maybe empty.
    #[serde(rename = "list<int32>")]
    I32s,
    /// A list of 32-bit floats, never null, maybe empty.
    #[serde(rename = "list<float32>")]
    F32s,
    /// Microseconds since 1970, UTC.
    #[serde(rename = "timestamp[us, UTC]")]
    Time,
    /// True or false.
    #[serde(rename = "bool")]
    Bool,
    /// 32-bit float.
    #[serde(rename = "float32")]
    F32,
    /// 64-bit float.
    #[serde(rename = "float64")]
    F64,
    /// Signed 64-bit whole number.
    #[serde(rename = "int64")]
    I64,
    /// Unsigned 32-bit whole number.
    #[serde(rename = "uint32")]
    U32,
}

impl Kind {
    pub(crate) fn is_list(self) -> bool {
        matches!(self, Kind::Strings | Kind::I32s | Kind::F32s)
    }
}

/// What a column is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Says which tweet it is.
    Identity,
    /// Ties rows that must not be torn apart by a split.
    Group,
    /// What was written.
    Text,
    /// Known when the tweet was posted: fit for a model's input.
    Feature,
    /// Of the author, as the source told it when the tweet was read, which may be long after it was posted: input only
    /// for what is predicted when tweets are read.
    Snapshot,
    /// Known only later: no input for a prediction made when the tweet was posted.
    Engagement,
    /// Where the row came from.
    Provenance,
    /// Which part of the dataset.
    Split,
}

/// One column.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Column {
    /// Name.
    pub name: &'static str,
    /// Type.
    #[serde(rename = "type")]
    pub kind: Kind,
    /// Whether null ("the source did not say") occurs.
    pub nullable: bool,
    /// What it is for.
    pub role: Role,
    /// Unit, where values have one.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub unit: &'static str,
    /// What it says.
    pub doc: &'static str,
    /// Of a mask: the columns that are null where it is false, and nowhere else.
    #[serde(rename = "mask_of", skip_serializing_if = "none")]
    pub masked: &'static [&'static str],
}

#[allow(clippy::trivially_copy_pass_by_ref)]
fn none(masked: &&[&str]) -> bool {
    masked.is_empty()
}

impl Column {
    /// The type in Polars.
    pub fn dtype(&self) -> DataType {
        match self.kind {
            Kind::String => DataType::String,
            Kind::Strings => DataType::List(Box::new(DataType::String)),
            Kind::I32s => DataType::List(Box::new(DataType::Int32)),
            Kind::F32s => DataType::List(Box::new(DataType::Float32)),
            Kind::Time => DataType::Datetime(TimeUnit::Microseconds, Some(TimeZone::UTC)),
            Kind::Bool => DataType::Boolean,
            Kind::F32 => DataType::Float32,
            Kind::F64 => DataType::Float64,
            Kind::I64 => DataType::Int64,
            Kind::U32 => DataType::UInt32,
        }
    }

    /// The field in Polars.
    pub fn field(&self) -> Field {
        Field::new(PlSmallStr::from_static(self.name), self.dtype())
    }
}

/// The Polars schema of columns.
pub(crate) fn schema(columns: &[Column]) -> Schema {
    Schema::from_iter(columns.iter().map(Column::field))
}

/// The columns as JSON, for `schema.json`, file metadata and the gates.
pub fn describe(columns: &[Column]) -> String {
    serde_json::to_string_pretty(columns).unwrap_or_default()
}

/// Builds the rows of a column table: `role: name type (null) [unit] doc mask of columns`.
macro_rules! columns {
    ($($role:ident: $name:literal $kind:ident $(($null:ident))? $([$unit:literal])? $doc:literal
        $(mask of $($masked:literal)*)?;)*) => {
        &[$(Column {
            name: $name,
            kind: Kind::$kind,
            nullable: columns!(@null $($null)?),
            role: Role::$role,
            unit: concat!($($unit)?),
            doc: $doc,
            masked: &[$($($masked),*)?],
        }),*]
    };
    (@null null) => { true };
    (@null) => { false };
}

/// What `clean` writes of every tweet. A retweet that was folded shows its original's own values.
pub const CLEAN: &[Column] = columns! {
    Identity: "source" String "where it was posted: x or bluesky";
    Identity: "tweet_id" String "id within the source; of a folded retweet, the original's";
    Group: "author_id" String (null) "author's id";
    Identity: "username" String (null) "author's handle, without @";
    Identity: "user_name" String (null) "author's display name";
    Snapshot: "user_location" String (null) "where the author says to be, free text";
    Group: "conversation_id" String (null) "id of the tweet that began the conversation";
    Identity: "in_reply_to_id" String (null) "id of the tweet answered";
    Identity: "quoted_id" String (null) "id of the tweet quoted";
    Feature: "created_at" Time (null) "when it was posted; from the id where the source does not say";
    Feature: "user_created_at" Time (null) "when the author's account was made";
    Engagement: "first_seen" Time (null) "earliest own time of the lines that carried it: itself, copies, retweets";
    Engagement: "last_seen" Time (null) "latest own time of the lines that carried it";
    Engagement: "counts_at" Time (null) "when the counts were read";
    Text: "text" String "full text, HTML-unescaped once";
    Text: "text_clean" String "text without links, mentions, RT and #, white space folded";
    Text: "text_truncated" Bool "the text is known to be cut";
    Text: "tokens" Strings "tokens of the text, in order";
    Text: "hashtags" Strings "without #";
    Text: "mentions" Strings "handles mentioned, without @";
    Text: "cashtags" Strings "without $";
    Text: "urls" Strings "links, as far as the source followed them";
    Feature: "music_terms" Strings "terms that speak for music, strongest rules first";
    Feature: "lang" String "ISO 639-1 code, und where nobody knows";
    Feature: "lang_platform" String (null) "the platform's own code, as given";
    Feature: "lang_source" String "who decided lang: platform, whichlang, whatlang, script or none";
    Feature: "lang_confidence" F32 "of lang, 0 to 1";
    Feature: "lang_confident" Bool "two detectors, or one and the platform, agree";
    Feature: "music_score" F32 "how much speaks for music; at or above the threshold a tweet is dropped";
    Engagement: "retweet_count" I64 (null) ["retweets"] "at counts_at";
    Engagement: "reply_count" I64 (null) ["replies"] "at counts_at";
    Engagement: "quote_count" I64 (null) ["quotes"] "at counts_at";
    Engagement: "like_count" I64 (null) ["likes"] "at counts_at";
    Engagement: "bookmark_count" I64 (null) ["bookmarks"] "at counts_at";
    Engagement: "impression_count" I64 (null) ["impressions"] "at counts_at";
    Snapshot: "followers_count" I64 (null) ["users"] "of the author, when read";
    Snapshot: "following_count" I64 (null) ["users"] "of the author, when read";
    Snapshot: "listed_count" I64 (null) ["lists"] "of the author, when read";
    Snapshot: "statuses_count" I64 (null) ["tweets"] "of the author, when read";
    Engagement: "copies" U32 ["lines"] "raw lines of this very tweet, re-reads included; 0 where only retweets carried it";
    Engagement: "retweets_seen" U32 ["tweets"] "distinct retweets of it that were folded into this row";
    Feature: "is_reply" Bool "it answers a tweet or a user";
    Feature: "is_quote" Bool "it quotes a tweet";
    Snapshot: "verified" Bool (null) "the author is verified";
    Feature: "possibly_sensitive" Bool (null) "the source flags it";
    Feature: "profanity" Bool "it holds a profane word";
    Feature: "place_name" String (null) "place that the author named";
    Feature: "place_country" String (null) "its country code";
    Feature: "lon" F64 (null) ["degrees east"] "of the tweet";
    Feature: "lat" F64 (null) ["degrees north"] "of the tweet";
    Group: "text_key" String (null) "hash of the normalised text: equal for exact copies; null under 20 letters";
    Group: "edit_id" String (null) "id of the first version of an edited tweet; null for a tweet without edits";
    Provenance: "raw_part" String "raw part that the row was read from";
    Provenance: "raw_line" U32 ["line, from 1"] "line in that part";
};

/// What `featurize` adds to every row. Nothing here is NaN; null means "unknown", and of every feature that may be
/// null a `has_` column says where.
pub const FEATURES: &[Column] = columns! {
    Feature: "token_count" U32 ["count"] "tokens";
    Feature: "word_count" U32 ["count"] "tokens that begin with a letter and are no link";
    Feature: "hashtag_count" U32 ["count"] "entries of hashtags";
    Feature: "mention_count" U32 ["count"] "entries of mentions";
    Feature: "url_count" U32 ["count"] "entries of urls";
    Feature: "cashtag_count" U32 ["count"] "entries of cashtags";
    Feature: "emoji_count" U32 ["count"] "tokens that hold a pictograph, a flag or a keycap";
    Feature: "char_count" U32 ["count"] "code points of text";
    Feature: "letter_count" U32 ["count"] "letters of any script in text";
    Feature: "upper_ratio" F32 ["ratio"] "upper-case letters of the letters; 0 without letters";
    Feature: "digit_ratio" F32 ["ratio"] "digits of the code points; 0 for an empty text";
    Feature: "punct_ratio" F32 ["ratio"] "ASCII, general, CJK and full-width punctuation of the code points; 0 for an empty text";
    Feature: "mean_word_length" F32 ["code points"] "mean length of the words; 0 without words";
    Feature: "question_marks" U32 ["count"] "? and its full-width and Arabic forms in text";
    Feature: "exclamation_marks" U32 ["count"] "! and its full-width form in text";
    Feature: "has_created_at" Bool "created_at is known, and with it the next four"
        mask of "created_at" "hour_sin" "hour_cos" "weekday_sin" "weekday_cos";
    Feature: "hour_sin" F32 (null) ["sine"] "sine of 2π hour/24, the hour of created_at in UTC";
    Feature: "hour_cos" F32 (null) ["sine"] "cosine of the same";
    Feature: "weekday_sin" F32 (null) ["sine"] "sine of 2π day/7, the weekday of created_at in UTC, Monday 0";
    Feature: "weekday_cos" F32 (null) ["sine"] "cosine of the same";
    Feature: "has_user_created_at" Bool "user_created_at is known" mask of "user_created_at";
    Feature: "has_account_age" Bool "created_at and user_created_at are known, and with them the next" mask of "account_age_days";
    Feature: "account_age_days" F32 (null) ["days"] "from user_created_at to created_at, at least 0";
    Snapshot: "has_followers" Bool "followers_count is known, and with it the next" mask of "followers_count" "log_followers";
    Snapshot: "log_followers" F32 (null) ["ln(1 + users)"] "of followers_count, at least 0";
    Snapshot: "has_following" Bool "following_count is known, and with it the next" mask of "following_count" "log_following";
    Snapshot: "log_following" F32 (null) ["ln(1 + users)"] "of following_count, at least 0";
    Snapshot: "has_listed" Bool "listed_count is known, and with it the next" mask of "listed_count" "log_listed";
    Snapshot: "log_listed" F32 (null) ["ln(1 + lists)"] "of listed_count, at least 0";
    Snapshot: "has_statuses" Bool "statuses_count is known, and with it the next" mask of "statuses_count" "log_statuses";
    Snapshot: "log_statuses" F32 (null) ["ln(1 + tweets)"] "of statuses_count, at least 0";
    Snapshot: "has_user_location" Bool "user_location is known" mask of "user_location";
    Snapshot: "has_verified" Bool "verified is known" mask of "verified";
    Feature: "has_possibly_sensitive" Bool "possibly_sensitive is known" mask of "possibly_sensitive";
    Feature: "has_lang_platform" Bool "lang_platform is known" mask of "lang_platform";
    Feature: "has_place_name" Bool "place_name is known" mask of "place_name";
    Feature: "has_place_country" Bool "place_country is known" mask of "place_country";
    Feature: "has_coordinates" Bool "lon and lat are known" mask of "lon" "lat";
    Feature: "lang_en" Bool "lang is English";
    Feature: "lang_es" Bool "lang is Spanish";
    Feature: "lang_pt" Bool "lang is Portuguese";
    Feature: "lang_fr" Bool "lang is French";
    Feature: "lang_de" Bool "lang is German";
    Feature: "lang_it" Bool "lang is Italian";
    Feature: "lang_nl" Bool "lang is Dutch";
    Feature: "lang_tr" Bool "lang is Turkish";
    Feature: "lang_id" Bool "lang is Indonesian";
    Feature: "lang_tl" Bool "lang is Tagalog";
    Feature: "lang_ru" Bool "lang is Russian";
    Feature: "lang_ar" Bool "lang is Arabic";
    Feature: "lang_hi" Bool "lang is Hindi";
    Feature: "lang_th" Bool "lang is Thai";
    Feature: "lang_ja" Bool "lang is Japanese";
    Feature: "lang_ko" Bool "lang is Korean";
    Feature: "lang_und" Bool "nobody knows the language";
    Feature: "lang_other" Bool "lang is none of the above; exactly one of the lang columns is true";
    Group: "near_copy_group" String (null) "tweet_id of the earliest of its near copies, which all lie in one split; null without near copies";
    Group: "group" String "16 hex digits of the hash of what the split keeps together";
    Split: "split" String "train, validation or test";
};

/// What `featurize --hash-bits` adds after [`FEATURES`]: a row of a sparse matrix.
pub const HASHED: &[Column] = columns! {
    Feature: "hash_index" I32s ["below 2^hash_bits"] "indices of the hashed n-grams of tokens, ascending: scikit-learn's HashingVectorizer";
    Feature: "hash_value" F32s ["unit length"] "its values at these indices, signed sums divided by their Euclidean length";
};

/// What `featurize --tfidf` adds after [`HASHED`].
pub const WEIGHTED: &[Column] = columns! {
    Feature: "tfidf_value" F32s ["unit length"] "TF-IDF weights at the same indices, by features/idf.npy, which is fitted on train only";
};

/// The last column of `dropped.parquet`.
pub const DROP_REASON: Column = Column {
    name: "drop_reason",
    kind: Kind::String,
    nullable: false,
    role: Role::Provenance,
    unit: "",
    doc: "the first fate that applied: duplicate, deleted, retweet, edited, language or music",
    masked: &[],
};

/// The columns of `dropped.parquet`.
pub fn dropped() -> Vec<Column> {
    CLEAN.iter().copied().chain([DROP_REASON]).collect()
}

/// The columns of every dataset.
pub fn dataset() -> Vec<Column> {
    [CLEAN, FEATURES].concat()
}

#[cfg(test)]
mod tests {
    use super::{CLEAN, Column, Kind, Role, dataset};

    #[test]
    fn names_are_unique_and_lists_are_never_null() {
        let all = dataset();
        let mut names: Vec<&str> = all.iter().map(|c| c.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all.len());
        assert!(all.len() > CLEAN.len() && all.iter().all(|c| c.kind != Kind::Strings || !c.nullable));
    }

    #[test]
    fn what_a_model_takes_and_may_be_null_has_one_mask_of_its_role() {
        let all = dataset();
        for column in all.iter().filter(|c| matches!(c.role, Role::Feature | Role::Snapshot) && c.nullable) {
            let masks: Vec<&Column> = all.iter().filter(|c| c.masked.contains(&column.name)).collect();
            assert_eq!(masks.len(), 1, "{}", column.name);
            assert_eq!((masks[0].kind, masks[0].nullable, masks[0].role), (Kind::Bool, false, column.role));
        }
    }

    #[test]
    fn the_table_is_read_as_it_is_written() {
        let table: &[Column] = columns! {
            Feature: "lon" F64 (null) ["degrees east"] "of the tweet";
            Text: "text" String "full text";
            Feature: "has_coordinates" Bool "lon and lat are known" mask of "lon" "lat";
        };
        assert_eq!(
            (table[0].nullable, table[0].unit, table[1].nullable, table[1].unit),
            (true, "degrees east", false, "")
        );
        assert_eq!((table[0].role, table[1].kind), (Role::Feature, Kind::String));
        assert_eq!((table[0].masked, table[2].masked), (&[][..], &["lon", "lat"][..]));
    }
}

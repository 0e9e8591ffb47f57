//! What is asked for besides id and text, in the words of either dialect.

use clap::ValueEnum;

/// Whose names a request uses. Answers are understood in both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Dialect {
    /// tweet.fields, as X has it for streams and had it for search up to August 2026
    Tweet,
    /// post.fields, as X documents it for search since then
    Post,
}

/// The parameters that choose fields. `note_tweet` is the full text of long posts; `context_annotations` are left
/// out, for they make pages smaller.
pub(crate) fn parameters(dialect: Dialect) -> [(&'static str, &'static str); 4] {
    let (name, fields, expansions) = match dialect {
        Dialect::Tweet => (
            "tweet.fields",
            "author_id,conversation_id,created_at,edit_history_tweet_ids,entities,geo,in_reply_to_user_id,lang,\
             note_tweet,possibly_sensitive,public_metrics,referenced_tweets,reply_settings,source,withheld",
            "author_id,referenced_tweets.id,referenced_tweets.id.author_id,geo.place_id",
        ),
        // Ids of authors, of other versions and of referenced posts come by expansion alone.
        Dialect::Post => (
            "post.fields",
            "conversation_id,created_at,entities,geo,lang,note_post,possibly_sensitive,public_metrics,\
             reply_settings,source,withheld",
            "author_id,edit_history_post_ids,referenced_posts,geo.place_id",
        ),
    };
    [
        (name, fields),
        ("expansions", expansions),
        ("user.fields", "created_at,location,name,public_metrics,username,verified,verified_type,withheld"),
        ("place.fields", "country,country_code,full_name,geo,name,place_type"),
    ]
}

-- Totals of a lake, for DuckDB: when, where and how much was written, about music too.
--
--     duckdb -cmd "SET VARIABLE lake = 'lake'" < examples/tweets.sql
--
-- `lake` is the folder, or s3://bucket/prefix after `INSTALL httpfs; LOAD httpfs;`. Nothing is written. A dataset holds no music, so
-- this asks the clean results, which keep what was dropped. All times are UTC; a week begins on its Monday.

SET TimeZone = 'UTC';

-- Only what a pointer names is true: folders of older results may lie beside it.
SET VARIABLE kept_files = (
    SELECT list(getvariable('lake') || '/' || path || '/tweets.parquet' ORDER BY path)
    FROM read_json(getvariable('lake') || '/_meta/clean/**/*.json', columns = {path: 'VARCHAR'}));
SET VARIABLE dropped_files = (
    SELECT list(getvariable('lake') || '/' || path || '/dropped.parquet' ORDER BY path)
    FROM read_json(getvariable('lake') || '/_meta/clean/**/*.json', columns = {path: 'VARCHAR'}));

-- Every row with its fate. Copies, retweets and earlier versions are there by id and time alone.
CREATE OR REPLACE TEMP VIEW fates AS
    SELECT *, 'kept' AS fate FROM read_parquet(getvariable('kept_files'), hive_partitioning = false)
    UNION ALL BY NAME
    SELECT * EXCLUDE drop_reason, drop_reason AS fate FROM read_parquet(getvariable('dropped_files'), hive_partitioning = false);

-- One row for each tweet. One that was retweeted over several days has a row in each partition: the full text wins, then the latest.
CREATE OR REPLACE TEMP VIEW tweets AS
    SELECT *, created_at AT TIME ZONE 'UTC' AS posted, fate = 'music' AS about_music
    FROM fates
    WHERE fate IN ('kept', 'language', 'music')
    QUALIFY row_number() OVER (
        PARTITION BY source, tweet_id
        ORDER BY text_truncated, counts_at DESC NULLS LAST, last_seen DESC NULLS LAST, raw_part, raw_line) = 1;

-- One row for each retweet, which is a tweet of its own by id and time.
CREATE OR REPLACE TEMP VIEW retweets AS
    SELECT DISTINCT source, tweet_id, created_at AT TIME ZONE 'UTC' AS posted FROM fates WHERE fate = 'retweet';

-- When: tweets posted in each hour, day and week. `tweets` = `about_music` + `other_language` + `kept`; retweets count beside them.
CREATE OR REPLACE TEMP VIEW per_hour AS
    WITH posts AS (
        SELECT posted, fate FROM tweets
        UNION ALL
        SELECT posted, 'retweet' FROM retweets)
    SELECT
        date_trunc('hour', posted) AS hour,
        count(*) FILTER (fate <> 'retweet') AS tweets,
        count(*) FILTER (fate = 'music') AS about_music,
        count(*) FILTER (fate = 'language') AS other_language,
        count(*) FILTER (fate = 'kept') AS kept,
        count(*) FILTER (fate = 'retweet') AS retweets
    FROM posts
    GROUP BY ALL
    ORDER BY hour;

CREATE OR REPLACE TEMP VIEW per_day AS
    SELECT date_trunc('day', hour)::DATE AS day, sum(COLUMNS(* EXCLUDE hour))::BIGINT FROM per_hour GROUP BY ALL ORDER BY day;

CREATE OR REPLACE TEMP VIEW per_week AS
    SELECT date_trunc('week', hour)::DATE AS week, sum(COLUMNS(* EXCLUDE hour))::BIGINT FROM per_hour GROUP BY ALL ORDER BY week;

-- Where: the country of the place that the author named, which few do. Null: not said.
CREATE OR REPLACE TEMP VIEW per_country AS
    SELECT
        place_country AS country,
        count(*) AS tweets,
        count(*) FILTER (about_music) AS about_music,
        count(DISTINCT author_id) AS authors
    FROM tweets
    GROUP BY ALL
    ORDER BY tweets DESC, country;

-- Where the authors say they live: words, not places. "Toronto, ON" and "the 6ix" stay two.
CREATE OR REPLACE TEMP VIEW per_location AS
    SELECT
        nullif(lower(trim(regexp_replace(user_location, '\s+', ' ', 'g'))), '') AS location,
        count(*) AS tweets,
        count(*) FILTER (about_music) AS about_music,
        count(DISTINCT author_id) AS authors
    FROM tweets
    GROUP BY ALL
    ORDER BY tweets DESC, location;

-- What came back, by the day of posting: of tweets whose counts are known, as they were when they were last read.
CREATE OR REPLACE TEMP VIEW engagement_per_day AS
    SELECT
        date_trunc('day', posted)::DATE AS day,
        about_music,
        count(like_count) AS counted,
        sum(like_count)::BIGINT AS likes,
        sum(retweet_count)::BIGINT AS retweets,
        sum(reply_count)::BIGINT AS replies,
        sum(quote_count)::BIGINT AS quotes,
        avg(like_count) AS mean_likes,
        median(like_count) AS median_likes
    FROM tweets
    GROUP BY ALL
    ORDER BY day, about_music;

-- The same by how old a tweet was when its counts were read: a tweet read at once has had no time for likes.
CREATE OR REPLACE TEMP VIEW engagement_by_age AS
    SELECT
        CASE
            WHEN counts_at - created_at < INTERVAL 1 HOUR THEN '1: under an hour'
            WHEN counts_at - created_at < INTERVAL 1 DAY THEN '2: under a day'
            WHEN counts_at - created_at < INTERVAL 7 DAY THEN '3: under a week'
            WHEN counts_at >= created_at THEN '4: older'
        END AS age,
        count(like_count) AS counted,
        avg(like_count) AS mean_likes,
        median(like_count) AS median_likes,
        avg(retweet_count) AS mean_retweets
    FROM tweets
    GROUP BY ALL
    ORDER BY age;

FROM per_hour ORDER BY tweets DESC, hour LIMIT 10;
FROM per_day;
FROM per_week;
FROM per_country LIMIT 20;
FROM per_location LIMIT 20;
FROM engagement_per_day;
FROM engagement_by_age;

-- Lists of questions that cost the same among a thousand and among a million, and their search by words.

-- Two words that every list filters by, in one: how the question stands, and how hard it is. A list takes the newest of
-- each of the few values that it wants (`draft`; `published`; `published+draft`: published, and a draft of the next
-- version) and merges them, so that no combination of filters reads what it does not show.
alter table questions add column listed_as text not null generated always as (
    case when published_version is null or latest_status = 'published' then latest_status
         else 'published+' || latest_status end || ' ' || coalesce(difficulty_id, '')
) stored;
create index questions_listed on questions (question_bank_id, listed_as, id);
create index questions_listed_by_topic on questions (topic_id, listed_as, id) where topic_id is not null;
create index questions_listed_by_author on questions (author_id, question_bank_id, listed_as, id)
    where author_id is not null;
-- Only counted over, and the count is kept now.
drop index questions_published;

-- Languages whose rules for taking texts apart every server from PostgreSQL 15 on has; those of domain/question_bank/languages.py.
alter table question_banks add constraint question_banks_language_check check (language in (
    'arabic', 'armenian', 'basque', 'catalan', 'danish', 'dutch', 'english', 'finnish', 'french', 'german', 'greek',
    'hindi', 'hungarian', 'indonesian', 'irish', 'italian', 'lithuanian', 'nepali', 'norwegian', 'portuguese',
    'romanian', 'russian', 'serbian', 'simple', 'spanish', 'swedish', 'tamil', 'turkish', 'yiddish'));

-- What a search looks into: the words of the latest version, and what lists filter by as words that begin with a blank,
-- which no text has. Apart from `questions`, so that an import need not wait for it.
create table question_search (
    question_id      text primary key references questions (id) on delete cascade,
    question_bank_id text not null,
    document         tsvector not null
);
create index question_search_by_bank on question_search (question_bank_id, question_id);

-- As in the statement `index_questions`.
insert into question_search (question_id, question_bank_id, document)
select q.id, q.question_bank_id,
       setweight(to_tsvector(b.language::regconfig, v.stem), 'A')
       || setweight(to_tsvector(b.language::regconfig, q.external_id || ' ' || array_to_string(v.tags, ' ')), 'B')
       || setweight(to_tsvector(b.language::regconfig, left(coalesce(c.texts, ''), 100000)), 'C')
       || array_to_tsvector(
              array[' question', ' bank ' || q.question_bank_id, ' kind ' || v.kind,
                    ' state ' || split_part(q.listed_as, ' ', 1)]
              || array_remove(array[' topic ' || q.topic_id, ' difficulty ' || q.difficulty_id,
                                    ' author ' || q.author_id], null)
              || array(select ' tag ' || tag from unnest(v.tags) tag))
  from questions q
  join question_banks b on b.id = q.question_bank_id
  join question_versions v on v.question_id = q.id and v.version = q.latest_version
 cross join lateral (select string_agg(shown ->> 'text', ' ') as texts
                       from jsonb_array_elements(v.choices || v.prompts) shown) c;
-- What waits to be merged into the index is read by every search, so not much of it may.
create index question_search_words on question_search using gin (document) with (gin_pending_list_limit = 512);

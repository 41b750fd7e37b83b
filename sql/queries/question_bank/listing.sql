-- Lists of questions, the newest first: identifiers grow with time. `show_…` tell what a list shows of the questions that
-- one of the other statements finds. Those are planned with their values, so conditions without one fall away; each
-- reads at most a page of every value of `listed_as` that is wanted, whatever the filters and however many questions.

-- name: show_questions
-- Of the latest version.
select q.id, q.question_bank_id, q.external_id, q.author_id, q.published_version, q.created_at, v.version, v.rev,
       v.status, v.kind, v.tags, v.topic_id, v.difficulty_id, v.updated_at,
       left(v.stem, %(excerpt)s + 1) as stem, v.stem_format
  from questions q
  join question_versions v on v.question_id = q.id and v.version = q.latest_version;

-- name: show_published
-- Of the published version, without its choices and without its key.
select q.id, q.question_bank_id, v.version, v.kind, v.topic_id, v.difficulty_id, v.points as max_mark,
       left(v.stem, %(excerpt)s + 1) as stem, v.stem_format
  from questions q
  join question_versions v on v.question_id = q.id and v.version = q.published_version;

-- name: newest_questions
-- Over all banks that the viewer may see, or by an author: most pages are full with some of the newest questions of all.
-- If these are not even `least`, every bank is asked for its own.
with banks as materialized (
    select b.id from question_banks b
     where (%(bank_id)s::text is null or b.id = %(bank_id)s)
       and (%(sees_all)s or b.visibility = 'visible' or b.owner_id = %(viewer_id)s
            or exists (select from question_bank_editors e
                        where e.question_bank_id = b.id and e.user_id = %(viewer_id)s))
), listed as materialized (
    select state || ' ' || d.id as listed_as
      from unnest(%(states)s::text[]) state,
           (select id from question_difficulties union all select '') d
     where %(difficulty_id)s::text is null or d.id = %(difficulty_id)s
), walked as materialized (
    select q.id, q.question_bank_id, q.listed_as, q.author_id from questions q
     where %(after)s::text is null or q.id < %(after)s
     order by q.id desc
     limit %(walk)s
), near as materialized (
    select w.id from walked w
     where w.question_bank_id in (select id from banks) and w.listed_as in (select listed_as from listed)
       and (%(author_id)s::text is null or w.author_id = %(author_id)s)
     order by w.id desc
     limit %(limit)s
), enough as materialized (
    select (select count(*) from near) >= %(least)s or (select count(*) from walked) < %(walk)s as yes
)
select id from near where (select yes from enough)
union all
(select q.id
   from banks b cross join listed l cross join lateral (
        select q.id from questions q
         where q.question_bank_id = b.id and q.listed_as = l.listed_as
           and (%(author_id)s::text is null or q.author_id = %(author_id)s)
           and (%(after)s::text is null or q.id < %(after)s)
         order by q.id desc
         limit %(least)s
   ) q
  where not (select yes from enough)
  order by q.id desc
  limit %(least)s);

-- name: questions_of_bank
select q.id
  from question_banks b
 cross join unnest(%(states)s::text[]) state
 cross join (select id from question_difficulties union all select '') d
 cross join lateral (
       select q.id from questions q
        where q.question_bank_id = b.id and q.listed_as = state || ' ' || d.id
          and (%(after)s::text is null or q.id < %(after)s)
        order by q.id desc
        limit %(limit)s
  ) q
 where b.id = %(bank_id)s
   and (%(difficulty_id)s::text is null or d.id = %(difficulty_id)s)
   and (%(sees_all)s or b.visibility = 'visible' or b.owner_id = %(viewer_id)s
        or exists (select from question_bank_editors e
                    where e.question_bank_id = b.id and e.user_id = %(viewer_id)s))
 order by q.id desc
 limit %(limit)s;

-- name: questions_of_topic
-- A topic is of one bank.
select q.id
  from question_topics t
  join question_banks b on b.id = t.question_bank_id
 cross join unnest(%(states)s::text[]) state
 cross join (select id from question_difficulties union all select '') d
 cross join lateral (
       select q.id from questions q
        where q.topic_id = t.id and q.listed_as = state || ' ' || d.id
          and (%(after)s::text is null or q.id < %(after)s)
        order by q.id desc
        limit %(limit)s
  ) q
 where t.id = %(topic_id)s
   and (%(bank_id)s::text is null or b.id = %(bank_id)s)
   and (%(difficulty_id)s::text is null or d.id = %(difficulty_id)s)
   and (%(sees_all)s or b.visibility = 'visible' or b.owner_id = %(viewer_id)s
        or exists (select from question_bank_editors e
                    where e.question_bank_id = b.id and e.user_id = %(viewer_id)s))
 order by q.id desc
 limit %(limit)s;

-- name: documents_of_bank
-- Where nothing but words is asked for, however the questions of a bank stand. A bank that is not known to be the one
-- that is meant is looked up in its own index, however large a part of all documents are those of that one.
with bank as materialized (
    select b.id from question_banks b
     where b.id = %(bank_id)s
       and (%(sees_all)s or b.visibility = 'visible' or b.owner_id = %(viewer_id)s
            or exists (select from question_bank_editors e
                        where e.question_bank_id = b.id and e.user_id = %(viewer_id)s))
)
select s.question_id as id
  from bank b
 cross join lateral (
       select s.question_id from question_search s
        where s.question_bank_id = b.id and (%(after)s::text is null or s.question_id < %(after)s)
        order by s.question_id desc
        limit %(limit)s
  ) s
 order by s.question_id desc;

-- name: search_questions
-- `candidates` are the newest questions that the other filters leave, at most `limit` of them, found by a statement of
-- this file. Nothing is known beforehand about how many of all have the words, above all not together with the filters,
-- so a part of the candidates is asked first, and what it says decides. A common word fills a page with the rest of the
-- candidates, and a less common one that nothing else goes with by reading on, document after document (`row`). A rare
-- one is looked up in the index of words, at once where few have it (`few`), else from the newest to the older
-- (`closer`, then `found`). The filters are words of the document too (`facets`), so the index finds what has all of
-- them; the question itself has the last word about each that it knows.
with banks as materialized (
    select b.id, b.language from question_banks b
     where (%(bank_id)s::text is null or b.id = %(bank_id)s)
       and (%(sees_all)s or b.visibility = 'visible' or b.owner_id = %(viewer_id)s
            or exists (select from question_bank_editors e
                        where e.question_bank_id = b.id and e.user_id = %(viewer_id)s))
), words as materialized (
    -- The same text in the language of every bank that may hold an answer. One without a word that counts says nothing.
    select string_agg(distinct '(' || word::text || ')', ' | ')::tsquery as query
      from (select distinct language from banks) l
     cross join lateral websearch_to_tsquery(l.language::regconfig, %(text)s) word
     where numnode(word) > 0
), wanted as materialized (
    -- The word that every document has is only added to what excludes words and asks for none: it has the longest list.
    select case when query is null then %(facets)s::tsquery
                when %(facets)s = ''' question''' and querytree(query) not in ('T', '') then query
                else query && %(facets)s::tsquery end as query from words
), place as materialized (
    select coalesce(%(bank_id)s, (select t.question_bank_id from question_topics t where t.id = %(topic_id)s)) as bank_id
), candidates as materialized (
    select id, row_number() over (order by id desc) as place from unnest(%(candidates)s::text[]) id
), all_known as materialized (
    select count(*) < %(least)s as yes from candidates
), first as materialized (
    select c.id
      from candidates c
     cross join lateral (
           select from question_search s
            where s.question_id = c.id and s.document @@ (select query from wanted)
            limit 1
     ) s
     where c.place <= %(probe)s
     order by c.place
     limit %(page)s
), second as materialized (
    select c.id
      from candidates c
     cross join lateral (
           select from question_search s
            where s.question_id = c.id and s.document @@ (select query from wanted)
            limit 1
     ) s
     where c.place > %(probe)s and (select count(*) from first) < %(page)s
       and ((select yes from all_known)
            or (select count(*) from first) >= %(promising)s)
     order by c.place
     limit %(page)s
), near as materialized (
    select id from (select id from first union all select id from second) n order by id desc limit %(page)s
), enough as materialized (
    select (select count(*) from near) >= %(page)s or (select yes from all_known) as yes
), few as materialized (
    select s.question_id as id from question_search s
     where not (select yes from enough) and not (%(unfiltered)s and exists (select from first))
       and s.document @@ (select query from wanted)
     limit %(few)s + 1
), rare as materialized (
    select not (select yes from enough) and not (%(unfiltered)s and exists (select from first))
           and (select count(*) from few) <= %(few)s as yes
), common as materialized (
    select not (select yes from enough) and not (select yes from rare) as yes,
           %(unfiltered)s and exists (select from first) as in_a_row,
           case when %(unfiltered)s and exists (select from first) then %(row)s::bigint else %(reach)s::bigint end as reach
), edge as materialized (
    -- The last of the next so many documents, of the bank where it is known; before all of them where there are fewer.
    select coalesce(
        (select s.question_id from question_search s
          where s.question_bank_id = (select bank_id from place) and (%(after)s::text is null or s.question_id < %(after)s)
          order by s.question_id desc offset (select reach from common) limit 1),
        (select s.question_id from question_search s
          where (select bank_id from place) is null and (%(after)s::text is null or s.question_id < %(after)s)
          order by s.question_id desc offset (select reach from common) limit 1),
        '') as first, (select max(id) from candidates) as last
     where (select yes from common)
), closer as materialized (
    select s.question_id as id from question_search s
     where (select yes and not in_a_row from common) and (select bank_id from place) is not null
       and s.question_bank_id = (select bank_id from place)
       and s.question_id between (select first from edge) and (select last from edge)
       and s.document @@ (select query from wanted)
    union all
    select s.question_id from question_search s
     where (select yes and not in_a_row from common) and (select bank_id from place) is null
       and s.question_id between (select first from edge) and (select last from edge)
       and s.document @@ (select query from wanted)
), row as materialized (
    -- `offset 0` keeps the index of words out of it.
    select c.id
      from (select s.question_id as id, s.document from question_search s
             where (select yes and in_a_row from common) and (select bank_id from place) is not null
               and s.question_bank_id = (select bank_id from place)
               and s.question_id between (select first from edge) and (select last from edge)
             order by s.question_id desc
            offset 0) c
     cross join lateral (
           select from questions q
            where q.id = c.id
              and q.question_bank_id in (select id from banks)
              and split_part(q.listed_as, ' ', 1) = any(%(states)s::text[])
              and (%(topic_id)s::text is null or q.topic_id = %(topic_id)s)
              and (%(difficulty_id)s::text is null or q.difficulty_id = %(difficulty_id)s)
            limit 1
     ) q
     where c.document @@ (select query from wanted)
     order by c.id desc
     limit %(page)s
), row_of_all_banks as materialized (
    select c.id
      from (select s.question_id as id, s.document from question_search s
             where (select yes and in_a_row from common) and (select bank_id from place) is null
               and s.question_id between (select first from edge) and (select last from edge)
             order by s.question_id desc
            offset 0) c
     cross join lateral (
           select from questions q
            where q.id = c.id
              and q.question_bank_id in (select id from banks)
              and split_part(q.listed_as, ' ', 1) = any(%(states)s::text[])
              and (%(topic_id)s::text is null or q.topic_id = %(topic_id)s)
              and (%(difficulty_id)s::text is null or q.difficulty_id = %(difficulty_id)s)
            limit 1
     ) q
     where c.document @@ (select query from wanted)
     order by c.id desc
     limit %(page)s
), fitting as materialized (
    (select c.id
       from (select id from closer order by id desc) c
      cross join lateral (
            select from questions q
             where q.id = c.id
               and q.question_bank_id in (select id from banks)
               and split_part(q.listed_as, ' ', 1) = any(%(states)s::text[])
               and (%(topic_id)s::text is null or q.topic_id = %(topic_id)s)
               and (%(difficulty_id)s::text is null or q.difficulty_id = %(difficulty_id)s)
             limit 1
      ) q
      order by c.id desc
      limit %(page)s)
    union all
    select id from row
    union all
    select id from row_of_all_banks
), found as materialized (
    select s.question_id as id from question_search s
     where (select yes from common)
       and (select count(*) from fitting) < %(page)s
       and s.document @@ (select query from wanted)
       and s.question_id || '' < (select first from edge)
), older as materialized (
    select id from found
    union all
    select id from few where (select yes from rare) and (%(after)s::text is null or id < %(after)s)
), bound as materialized (
    -- Documents stand nearly in the order of their ids, so a page is nearly always full with the last of them, and
    -- what is below the last of those need not be put in order.
    select min(id) as id
      from (select o.id
              from (select id from older
                    offset greatest((select count(*) from older) - %(probe)s, 0)) o
             cross join lateral (
                   select from questions q
                    where q.id = o.id
                      and q.question_bank_id in (select id from banks)
                      and split_part(q.listed_as, ' ', 1) = any(%(states)s::text[])
                      and (%(topic_id)s::text is null or q.topic_id = %(topic_id)s)
                      and (%(difficulty_id)s::text is null or q.difficulty_id = %(difficulty_id)s)
                    limit 1
             ) q
             order by o.id desc
             limit %(page)s) last
    having count(*) = %(page)s
)
select id from near where (select yes from enough)
union all
select id from fitting
union all
(select o.id
   from (select id from older where id >= coalesce((select id from bound), '') order by id desc) o
  cross join lateral (
        select from questions q
         where q.id = o.id
           and q.question_bank_id in (select id from banks)
           and split_part(q.listed_as, ' ', 1) = any(%(states)s::text[])
           and (%(topic_id)s::text is null or q.topic_id = %(topic_id)s)
           and (%(difficulty_id)s::text is null or q.difficulty_id = %(difficulty_id)s)
         limit 1
  ) q
  order by o.id desc
  limit %(page)s)
order by id desc
limit %(page)s;

-- name: published_questions
-- Of the visible banks that the student is enrolled for right now.
with banks as materialized (
    select distinct b.id
      from enrollments e
      join exam_package_banks l on l.exam_package_id = e.exam_package_id
      join question_banks b on b.id = l.question_bank_id and b.visibility = 'visible'
     where e.user_id = %(student_id)s and e.status = 'active' and (e.expires_at is null or e.expires_at > now())
       and (%(package_id)s::text is null or e.exam_package_id = %(package_id)s)
       and (%(bank_id)s::text is null or b.id = %(bank_id)s)
)
select q.id
  from banks b
 cross join unnest(%(states)s::text[]) state
 cross join (select id from question_difficulties union all select '') d
 cross join lateral (
       select q.id from questions q
        where q.question_bank_id = b.id and q.listed_as = state || ' ' || d.id
          and (%(after)s::text is null or q.id < %(after)s)
        order by q.id desc
        limit %(limit)s
  ) q
 where %(difficulty_id)s::text is null or d.id = %(difficulty_id)s
 order by q.id desc
 limit %(limit)s;

-- name: published_questions_of_topic
select q.id
  from question_topics t
  join question_banks b on b.id = t.question_bank_id and b.visibility = 'visible'
 cross join unnest(%(states)s::text[]) state
 cross join (select id from question_difficulties union all select '') d
 cross join lateral (
       select q.id from questions q
        where q.topic_id = t.id and q.listed_as = state || ' ' || d.id
          and (%(after)s::text is null or q.id < %(after)s)
        order by q.id desc
        limit %(limit)s
  ) q
 where t.id = %(topic_id)s
   and (%(bank_id)s::text is null or b.id = %(bank_id)s)
   and (%(difficulty_id)s::text is null or d.id = %(difficulty_id)s)
   and exists (select from enrollments e
                 join exam_package_banks l on l.exam_package_id = e.exam_package_id
                where e.user_id = %(student_id)s and e.status = 'active'
                  and (e.expires_at is null or e.expires_at > now()) and l.question_bank_id = b.id
                  and (%(package_id)s::text is null or e.exam_package_id = %(package_id)s))
 order by q.id desc
 limit %(limit)s;

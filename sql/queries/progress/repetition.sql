-- Review cards, and the answers that they are made of.

-- name: hold_reviews
-- A lock of its own: a student answers on while the cards are made. It goes with the transaction.
select pg_advisory_xact_lock(hashtextextended('ace/reviews/' || %(user_id)s::text, 0)) as held;

-- name: stale_reviews
-- Whether a card is stale is told by the set of its answers, not by their number and the last of them: while one stops
-- to count, an earlier one may begin to. A session asks a question once, so the sessions tell the set. A card that is as
-- of later than this unit, which waited for the one that made it, is not taken back.
with judged as materialized (
    select question_id, bit_xor(hashtextextended(session_id, 0)) as made_of, max(answered_at) as last_review
      from judged_answers
     where user_id = %(user_id)s and judged_at <= %(now)s
     group by question_id
), cards as materialized (
    select question_id, made_of, last_review, as_of from review_cards where user_id = %(user_id)s
), stale as materialized (
    select coalesce(j.question_id, c.question_id) as question_id, coalesce(j.made_of, 0) as made_of,
           coalesce(j.last_review, c.last_review) as last_review
      from judged j full join cards c on c.question_id = j.question_id
     where (j.question_id is null or c.question_id is null or j.made_of <> c.made_of)
       and (c.as_of is null or c.as_of <= %(now)s)
     order by 3, 1
     limit %(limit)s
)
select s.question_id, s.made_of, coalesce(given.answers, '[]') as answers
  from stale s
 cross join lateral (
       select jsonb_agg(jsonb_build_object(
                  'session_id', a.session_id, 'answered_at', a.answered_at, 'correct', coalesce(a.correct, false),
                  'certainty_asked', a.certainty_asked, 'certainty', a.certainty
              )) as answers
         from judged_answers a
        where a.user_id = %(user_id)s and a.question_id = s.question_id and a.judged_at <= %(now)s
  ) given
 order by s.last_review, s.question_id;

-- name: save_review_cards
-- In the order of the questions, so that none waits in a circle with whoever does the same.
with given as materialized (
    select *
      from jsonb_to_recordset(%(cards)s::jsonb)
           as c (question_id text, state text, step integer, stability float8, difficulty float8, due timestamptz,
                 last_review timestamptz, reviews integer, made_of bigint)
), removed as (
    delete from review_cards c
     using given g
     where c.user_id = %(user_id)s and c.question_id = g.question_id and g.state is null
)
insert into review_cards (user_id, question_id, state, step, stability, difficulty, due, last_review, reviews, made_of,
                          as_of)
select %(user_id)s, question_id, state, step, stability, difficulty, due, last_review, reviews, made_of, %(now)s
  from given
 where state is not null
 order by question_id
    on conflict (user_id, question_id) do update
       set state = excluded.state, step = excluded.step, stability = excluded.stability,
           difficulty = excluded.difficulty, due = excluded.due, last_review = excluded.last_review,
           reviews = excluded.reviews, made_of = excluded.made_of, as_of = excluded.as_of;

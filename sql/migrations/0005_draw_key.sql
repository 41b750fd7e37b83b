-- A fair draw that costs the same among a thousand questions and among a million.

-- Every question stands at a random place on a circle for life. A draw reads the few hundred that follow a random start
-- and picks among them, so that no question is favoured by a wide gap in front of it. The indexes hold all that it reads.
alter table questions add column draw_key double precision not null default random();
create index questions_drawn on questions (question_bank_id, draw_key) include (id)
    where published_version is not null;
create index questions_drawn_by_difficulty on questions (question_bank_id, difficulty_id, draw_key) include (id)
    where published_version is not null;
create index questions_drawn_by_topic on questions (topic_id, draw_key) include (difficulty_id, id)
    where published_version is not null;

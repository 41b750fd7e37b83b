-- Whether a topic is in use is told by two indexes: that of the questions, and this one for versions that a question's
-- row does not speak for. It costs nothing when a question is made.
create index question_versions_other_topics on question_versions (topic_id)
    where version > 1 or status in ('archived', 'superseded');

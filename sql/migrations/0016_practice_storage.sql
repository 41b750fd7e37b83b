-- An answer finds room on the page of its row, which is more than twice as long afterwards, and its session too, which
-- counts it. No index is on anything that an answer changes, so neither costs an entry in any: whether a student has
-- answered a question is looked up where it is kept unique that a session asks it once. Rows that are there stay where
-- they are.
drop index practice_slots_answered;
alter table practice_slots set (fillfactor = 40);
alter table practice_sessions set (fillfactor = 70);

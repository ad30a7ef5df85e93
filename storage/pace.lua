#!lua flags=allow-oom
-- KEYS: pace of a chat, pace of all. ARGV: what for ('shed', 'wait' or 'end'), 1 for a group,
-- milliseconds of a freeze that are worth waiting for.
-- Takes a place; returns what take() does.
--include budget
return take(KEYS[1], KEYS[2], ARGV[1], ARGV[2] == '1', tonumber(ARGV[3]))

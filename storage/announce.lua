#!lua flags=allow-oom
-- KEYS: ready, draft, announcement, announcing, used, outbox. ARGV: entry, consumer, number of the draft, kinds of chats
-- with a space around each, how many chats there are, chat of the owner, their language.
-- Begins to announce what was drafted, to the chats of now. Returns 'begun' (now, or by this update before, even if
-- it has ended since), 'busy' if another announcement is under way, 'over' if there is no such draft; nothing if the
-- lane is not ours.
local own = redis.call('XPENDING', KEYS[1], 'workers', ARGV[1], ARGV[1], 1)[1]
if not own or own[2] ~= ARGV[2] then return nil end
local under_way, draft = redis.call('HGET', KEYS[3], 'number'), redis.call('GET', KEYS[2]) or ''
redis.call('ZCARD', KEYS[5])  -- fails before anything is written
if under_way == ARGV[3] or redis.call('HGET', KEYS[6], 'announced') == ARGV[3] then return 'begun' end
if draft:match('^%d+') ~= ARGV[3] then return 'over' end
if under_way then return 'busy' end
redis.call('DEL', KEYS[2], KEYS[3], KEYS[4])
redis.call('COPY', KEYS[5], KEYS[4])
redis.call('HSET', KEYS[3], 'number', ARGV[3], 'words', draft:match('^%d+ (.*)$'), 'kinds', ARGV[4],
  'total', ARGV[5], 'owner', ARGV[6], 'language', ARGV[7], 'since', redis.call('TIME')[1])
redis.call('HSET', KEYS[6], 'announced', ARGV[3])
return 'begun'

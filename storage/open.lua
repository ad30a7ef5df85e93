#!lua flags=no-writes
-- KEYS: ready, mailbox, outbox, history, epoch, state, pace of the chat, access, chats, settings of the chat and of
-- the topic, which may be one key, heard. ARGV: entry, consumer, most bytes of the history to read (-1: not text).
-- Returns what opened() does, or nothing if the lane is not ours.
--include past
--include settings
--include heard
--include opened
local own = redis.call('XPENDING', KEYS[1], 'workers', ARGV[1], ARGV[1], 1)[1]
if not own or own[2] ~= ARGV[2] then return nil end
return opened(own[4], tonumber(ARGV[3]), unpack(KEYS, 2))

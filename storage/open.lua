#!lua flags=no-writes
-- KEYS: ready, mailbox, outbox. ARGV: entry, consumer.
-- Returns the head of the mailbox ('' if there is none), for how many seconds it has waited, how often
-- its lane was claimed, how often work on it began under suspicion, failures, the last one's reason, kept
-- reply, how much of it is shown, how far an answer had grown, and the entries behind it that may want to
-- cut it short; or nothing if the lane is not ours.
local own = redis.call('XPENDING', KEYS[1], 'workers', ARGV[1], ARGV[1], 1)[1]
if not own or own[2] ~= ARGV[2] then return nil end
local kept = redis.call('HMGET', KEYS[3], 'begun', 'failures', 'failure', 'reply', 'shown', 'partial')
local entries = redis.call('LRANGE', KEYS[2], 0, -1)
local head, now = entries[1] or '', redis.call('TIME')[1]
local opened = {head, now - (head:match('^%d+') or now), own[4], kept[1] or 0, kept[2] or 0, kept[3] or '',
  kept[4] or '', kept[5] or '', kept[6] or ''}
for i = 2, #entries do
  if entries[i]:find('^%d+%*') then opened[#opened + 1] = entries[i] end
end
return opened

#!lua flags=no-writes
-- KEYS: ready, mailbox, outbox, history, epoch, state, pace of the chat. ARGV: entry, consumer, most bytes of
-- the history to read (-1: it is not text).
-- Returns the head of the mailbox ('' if there is none), for how many seconds it has waited, how often
-- its lane was claimed, how often work on it began under suspicion, failures, the last one's reason, kept
-- reply, how much of it is shown, how far an answer had grown, how many entries are behind it, the
-- milliseconds for which the chat is frozen (-1 if that cannot be said), what past() does, or why that failed,
-- and the entries behind it that may want to cut it short; or nothing if the lane is not ours.
--include past
local own = redis.call('XPENDING', KEYS[1], 'workers', ARGV[1], ARGV[1], 1)[1]
if not own or own[2] ~= ARGV[2] then return nil end
local kept = redis.call('HMGET', KEYS[3], 'begun', 'failures', 'failure', 'reply', 'shown', 'partial')
local entries = redis.call('LRANGE', KEYS[2], 0, -1)
local head, time = entries[1] or '', redis.call('TIME')
local now, frozen = time[1] * 1000 + math.floor(time[2] / 1000), -1
local paced = redis.pcall('HMGET', KEYS[7], 'at', 'frozen')
if not paced.err and (tonumber(paced[1]) or 0) <= now then
  frozen = math.max(0, (tonumber(paced[2]) or now) - now)
end
-- A history that cannot be read is no reason not to reset it.
local most, readable, history = tonumber(ARGV[3]), true, 'not UTF-8'
if kept[4] then
  history = ''  -- nothing is asked any more
elseif most >= 0 then
  readable, history = pcall(past, KEYS[4], KEYS[5], KEYS[6], most)
  if not readable then history = tostring(history.err or history) end
end
local opened = {head, time[1] - (head:match('^%d+') or time[1]), own[4], kept[1] or 0, kept[2] or 0, kept[3] or '',
  kept[4] or '', kept[5] or '', kept[6] or '', #entries - 1, frozen, history}
for i = 2, #entries do
  if entries[i]:find('^%d+%*') then opened[#opened + 1] = entries[i] end
end
return opened

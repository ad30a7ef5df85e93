-- Returns the head of a mailbox ('' if there is none), for how many seconds it has waited, how often its lane
-- was claimed, how often work on it began under suspicion, failures, the last one's reason, kept reply, how
-- much of it is shown, how far an answer had grown, how many entries are behind it, the milliseconds for which
-- the chat is frozen (-1 if that cannot be said), the version of the access list ('' if there is none), what is
-- known of the chat ('' if nothing, or if what is kept of it is not text: -1 bytes), what past() does, or why that
-- failed, what settings() does, what heard() does, and the entries behind it that may want to cut it short.
local function opened(claims, most_bytes, mailbox, outbox, history, epoch, state, pace, access, chats, of_chat, of_topic,
    around)
  local kept = redis.call('HMGET', outbox, 'begun', 'failures', 'failure', 'reply', 'shown', 'partial')
  local entries = redis.call('LRANGE', mailbox, 0, -1)
  local head, time = entries[1] or '', redis.call('TIME')
  local now, frozen = time[1] * 1000 + math.floor(time[2] / 1000), -1
  local paced = redis.pcall('HMGET', pace, 'at', 'frozen')
  if not paced.err and (tonumber(paced[1]) or 0) <= now then
    frozen = math.max(0, (tonumber(paced[2]) or now) - now)
  end
  local version = redis.pcall('HGET', access, 'version') or ''
  if type(version) ~= 'string' or version:find('[^%d.]') then version = 'unreadable' end  -- whoever reads it mends it
  local chat = redis.pcall('HGET', chats, mailbox:match(':mailbox:(-?%d+)') or '')
  if type(chat) ~= 'string' or most_bytes < 0 then chat = '' end
  -- A history that cannot be read is no reason not to reset it.
  local readable, known = true, 'not UTF-8'
  if kept[4] then
    known = ''  -- nothing is asked any more
  elseif most_bytes >= 0 then
    readable, known = pcall(past, history, epoch, state, most_bytes)
    if not readable then known = tostring(known.err or known) end
  end
  local chosen, said = settings(of_chat, of_topic), ''
  if not kept[4] and most_bytes > 0 then said = heard(around, chosen, time[1]) end
  local found = {head, time[1] - (head:match('^%d+') or time[1]), claims, kept[1] or 0, kept[2] or 0, kept[3] or '',
    kept[4] or '', kept[5] or '', kept[6] or '', #entries - 1, frozen, version, chat, known, chosen, said}
  for i = 2, #entries do
    if entries[i]:find('^%d+%*') then found[#found + 1] = entries[i] end
  end
  return found
end

#!lua flags=allow-oom
-- KEYS: ready. Creates the consumer group, unless there is one; at id 0, because lanes may already be
-- queued. The bare command is refused while memory is full, and then only work makes room.
local made = redis.pcall('XGROUP', 'CREATE', KEYS[1], 'workers', '0', 'MKSTREAM')
if made.err and not made.err:find('^BUSYGROUP') then return made end

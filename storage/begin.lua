#!lua flags=allow-oom
-- KEYS: ready. Makes the consumer group, unless there is one; at id 0, because lanes may be queued
-- already. The bare command is refused while memory is full, when nothing but work makes room.
local made = redis.pcall('XGROUP', 'CREATE', KEYS[1], 'workers', '0', 'MKSTREAM')
if made.err and not made.err:find('^BUSYGROUP') then return made end

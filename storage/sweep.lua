#!lua flags=allow-oom
-- KEYS: ready. ARGV: consumer, milliseconds.
-- Removes this consumer's name from the group, and names that have been silent for so long; never one with
-- a pending entry, because its lane would be lost with it.
for _, fields in ipairs(redis.call('XINFO', 'CONSUMERS', KEYS[1], 'workers')) do
  local consumer = {}
  for i = 1, #fields, 2 do consumer[fields[i]] = fields[i + 1] end
  local gone = consumer.name == ARGV[1] or consumer.idle > tonumber(ARGV[2])
  if gone and consumer.pending == 0 then
    redis.call('XGROUP', 'DELCONSUMER', KEYS[1], 'workers', consumer.name)
  end
end

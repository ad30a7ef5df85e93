#!lua
-- KEYS: dead, ready, mailbox. ARGV: letter, lane, update.
-- Moves a dead letter back into its mailbox, as if it had just come; 0 when it is there no more.
redis.call('LLEN', KEYS[3])  -- which fails, if it does, before the letter is gone
if redis.call('LREM', KEYS[1], 1, ARGV[1]) == 0 then return 0 end
if redis.call('RPUSH', KEYS[3], redis.call('TIME')[1] .. ' ' .. ARGV[3]) == 1 then
  redis.call('XADD', KEYS[2], '*', 'lane', ARGV[2])
end
return 1

#!lua
-- KEYS: dead, ready, mailbox. ARGV: letter, lane, update.
-- Moves a dead letter, if it is still there, back into its mailbox, as if it had just come in.
redis.call('LLEN', KEYS[3])  -- if this fails, the letter is still there
if redis.call('LREM', KEYS[1], 1, ARGV[1]) == 0 then return end
if redis.call('RPUSH', KEYS[3], redis.call('TIME')[1] .. ' ' .. ARGV[3]) == 1 then
  redis.call('XADD', KEYS[2], '*', 'lane', ARGV[2])
end

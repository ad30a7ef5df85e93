-- KEYS: history, turns. A new epoch: answers still under way belong to the old one.
redis.call('DEL', KEYS[1])
redis.call('HINCRBY', KEYS[2], 'epoch', 1)

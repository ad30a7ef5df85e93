#!lua flags=no-writes,allow-oom
-- KEYS: a name, or nothing. ARGV: the name, commands (and their subcommands)...
-- Tries each command on the name; returns why the server refuses it, or ''.
-- A server first counts the arguments, then checks the user's rights, and only then whether this script may
-- write; it may not, so nothing changes. Reads find nothing under that name.
local found = {}
for i = 2, #ARGV do
  local words, said = {}, nil
  for word in ARGV[i]:gmatch('%S+') do words[#words + 1] = word end
  repeat
    said = redis.pcall(unpack(words))
    said = type(said) == 'table' and said.err or ''
    words[#words + 1] = ARGV[1]
  until #words > 12 or not said:lower():find('number of arg')
  found[#found + 1] = said
end
return found

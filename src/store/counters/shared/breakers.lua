-- What breakers tell, and what they are told: all that are open, and whose the trial is. KEYS: leases, breakers.
-- ARGV: process, how long a trial is one's own; for each site that has something to tell its name, what, for the how
-- manieth time in a row it is open, and for how long.
local now, process = millis(), ARGV[1]
local leave = {}
for at = 3, #ARGV, 4 do
  local site, what, opened = ARGV[at], ARGV[at + 1], tonumber(ARGV[at + 2])
  local trial = ROOM .. 'trial:' .. site
  local mine = redis.call('GET', trial) == process
  if what == 'open' then
    local known = redis.call('HGET', KEYS[2], site) or '0'
    if opened > tonumber(string.match(known, '^%d+')) then
      redis.call('HSET', KEYS[2], site, text(opened) .. ' ' .. text(now + tonumber(ARGV[at + 3])))
    end
    if mine then
      redis.call('DEL', trial)
    end
  elseif what == 'closed' then
    redis.call('HDEL', KEYS[2], site)
    redis.call('DEL', trial)
  elseif mine or redis.call('SET', trial, process, 'NX', 'PX', ARGV[2]) then
    redis.call('PEXPIRE', trial, ARGV[2])
    leave[site] = true
  end
end
local answer = {'ok'}
local all = redis.call('HGETALL', KEYS[2])
for at = 1, #all, 2 do
  local opened, ends = string.match(all[at + 1], '^(%d+) (%d+)$')
  -- What nobody has tried for so long is nobody's to say.
  if now > tonumber(ends) + 600000 then
    redis.call('HDEL', KEYS[2], all[at])
  else
    table.insert(answer, all[at])
    table.insert(answer, opened)
    table.insert(answer, text(math.max(0, tonumber(ends) - now)))
    table.insert(answer, leave[all[at]] and '1' or '0')
  end
end
return answer

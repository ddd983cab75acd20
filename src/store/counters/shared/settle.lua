-- Gives back what was reserved and notes what this process has spent in all: told twice, it counts once.
-- KEYS: leases, purses. ARGV: lease, process, reserved, now; for each purse the end of its period and that sum.
if not is_held(ARGV[1]) then
  return {'lease'}
end
local back, now = tonumber(ARGV[3]), tonumber(ARGV[4])
local answer = {'ok', '0'}
for i = 2, #KEYS do
  local key = KEYS[i]
  roll(key, now, tonumber(ARGV[2 * i + 1]))
  local part = math.min(back, num(key, 'r:' .. ARGV[1]))
  put(key, 'r:' .. ARGV[1], num(key, 'r:' .. ARGV[1]) - part)
  put(key, 'reserved', math.max(0, num(key, 'reserved') - part))
  local own, told = tonumber(ARGV[2 * i + 2]), num(key, 'c:' .. ARGV[2])
  if own > told then
    redis.call('HINCRBY', key, 'spent', text(own - told))
    put(key, 'c:' .. ARGV[2], own)
  end
  local ends, spent, after = state(key, ARGV[2])
  table.insert(answer, ends)
  table.insert(answer, spent)
  table.insert(answer, after)
end
return answer

-- Takes from all purses or from none. KEYS: leases, members of this lease, purses.
-- ARGV: lease, process, least, wanted, now, mine; for each purse most and the end of its period.
-- A slice is at most one of 64 parts of what is left, unless that is less than 8 times what is needed next; nobody hopes
-- for what is his own.
if not is_held(ARGV[1]) then
  return {'lease'}
end
local least, wanted, now, mine = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local given = wanted
for i = 3, #KEYS do
  local most, ends = tonumber(ARGV[2 * i + 1]), tonumber(ARGV[2 * i + 2])
  roll(KEYS[i], now, ends)
  local unspent = math.max(0, most - num(KEYS[i], 'spent'))
  local left = math.max(0, unspent - num(KEYS[i], 'reserved'))
  if least > left then
    return {'short', tostring(i - 3), text(left), least + mine <= unspent and '1' or '0'}
  end
  local share = math.min(wanted, math.max(math.floor(left / 64), least * 8))
  given = math.min(given, math.max(math.min(share, left), least))
end
local answer = {'ok', text(given)}
for i = 3, #KEYS do
  if given > 0 then
    redis.call('HINCRBY', KEYS[i], 'reserved', text(given))
    redis.call('HINCRBY', KEYS[i], 'r:' .. ARGV[1], text(given))
    redis.call('SADD', KEYS[2], KEYS[i])
  end
  local ends, spent, told = state(KEYS[i], ARGV[2])
  table.insert(answer, ends)
  table.insert(answer, spent)
  table.insert(answer, told)
end
return answer

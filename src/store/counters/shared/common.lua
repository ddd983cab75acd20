-- What every script has before it. KEYS[1] holds the leases of all nodes, each with the time at which it ends.
-- Sums are whole nano-dollars below 2^53, so that a number of Lua's is exact.
local ROOM = '{waypost}:'

local function text(number)
  return string.format('%.0f', number)
end

local function num(key, field)
  return tonumber(redis.call('HGET', key, field) or '0')
end

local function put(key, field, number)
  if number == 0 then
    redis.call('HDEL', key, field)
  else
    redis.call('HSET', key, field, text(number))
  end
end

-- A period that is over is followed by the one that ends then.
local function roll(key, now, ends)
  if redis.call('HEXISTS', key, 'until') == 0 or now >= num(key, 'until') then
    redis.call('HSET', key, 'until', text(ends), 'spent', '0')
  end
end

local function millis()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end

local function is_held(lease)
  return redis.call('ZSCORE', KEYS[1], lease) ~= false
end

-- What a purse says after an operation: its period, what was spent in it, and what of that this process told.
local function state(key, process)
  return text(num(key, 'until')), text(num(key, 'spent')), text(num(key, 'c:' .. process))
end

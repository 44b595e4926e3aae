-- May a request pass under all its limits at once? Charges every limit if so, none if not.
--
-- KEYS     one per limit: first those that are rates, then those that are ledgers (sliding windows,
--          concurrency limits, budgets). All in one slot.
-- ARGV[1]  binary: mode (byte: 0 check, 1 reserve, 2 peek), number of rates (byte), and for each rate
--          ticks, units, burst, cost (whole numbers as little-endian doubles) and shadow (byte).
-- ARGV[2]  identity of the reservation; only there, as is ARGV[3..], if there are ledgers.
-- ARGV[3..]  one for each ledger, binary: kind (byte: 0 window, 1 concurrency, 2 budget), shadow
--          (byte), expired holds are spent (byte), limit, cost, span, slice, retention (doubles).
-- Returns  allowed (1 or 0), limits that the cost does not fit in (bit 0 for the first key), the
--          server's time, and a binary state for each key: of a rate start, used, refunded and latest
--          (empty for a bucket that nobody has used; may be longer), of a ledger in use, the time at
--          which the cost fits (0 if unknown), the time at which nothing is in use any more (0 if
--          unknown) and the time of the entry made.
--
-- Times are microseconds of the server's clock since 1970. Every number is whole and below 2^53, so
-- that doubles are exact.
--
-- A rate's value is eight doubles: start, used, refunded, latest, when the key expires (ms), ticks,
-- units, burst. One unit takes ticks / units microseconds. Outstanding are `owed` units less
-- rest × units / ticks, where `rest` is the part of `ticks` that has passed since the last whole one.
local call, pack, parse = redis.call, struct.pack, struct.unpack

-- a / b <= c / d for whole numbers with a < b and c < d, by continued fractions: no product is formed.
local function at_most(a, b, c, d)
  while a > 0 do
    if c == 0 then return false end
    local over, under = d % c, b % a
    local left, right = (d - over) / c, (b - under) / a
    if left ~= right then return left < right end
    a, b, c, d = over, c, under, a
  end
  return true
end

local clock = call('TIME')
local now = clock[1] * 1000000 + clock[2]
local request = ARGV[1]
local mode, rates, at = parse('BB', request)
local allowed, misfits = true, 0
local states, charges, expiries, repairs = {}, {}, {}, nil

local values = rates > 0 and call('MGET', unpack(KEYS, 1, rates))
for i = 1, rates do
  local ticks, units, burst, cost, shadow
  ticks, units, burst, cost, shadow, at = parse('<ddddB', request, at)
  local value = values[i]
  local start, used, refunded, expires = now, 0, 0, 0
  local time, rest, owed, changed = now, 0, 0, false
  if value then
    if #value ~= 64 then
      return redis.error_reply('BURSAR the value of ' .. KEYS[i] .. ' is not a rate of this version')
    end
    local latest, old_ticks, old_units, old_burst
    start, used, refunded, latest, expires, old_ticks, old_units, old_burst =
      parse('<dddddddd', value)
    if now < latest then
      if latest - now < 1000000 then
        time = latest
      else
        -- The clock was set back: what was outstanding at the latest time is outstanding now.
        start = start - (latest - now)
        changed = true
      end
    end
    local elapsed = time - start
    rest = elapsed % old_ticks
    owed = used - (elapsed - rest) / old_ticks * old_units
    local drained = owed <= 0
    if not drained and owed < old_units then
      if old_ticks * old_units < 9007199254740992 then
        drained = owed * old_ticks <= rest * old_units
      else
        drained = at_most(owed, old_units, rest, old_ticks)
      end
    end
    if drained then
      start, used, refunded, rest, owed = time, 0, 0, 0, 0
      if old_ticks ~= ticks or old_units ~= units or old_burst ~= burst then expires = 0 end
    elseif old_ticks ~= ticks or old_units ~= units or old_burst ~= burst then
      -- Written under another quota: as many units are outstanding under this one, up to its burst
      -- and a debt beyond the old burst. Whole units, and the started one as time that has passed
      -- (rounded down, and one less for the rounding of the division).
      local part = rest * old_units / old_ticks
      local whole = math.floor(part)
      if old_ticks * old_units >= 9007199254740992 then whole = math.max(0, whole - 1) end
      owed = owed - whole
      local most = burst + math.max(0, owed - old_burst)
      rest = math.max(0, math.floor(math.min(1, part - whole) * ticks / units) - 1)
      if owed > most then owed, rest = most, 0 end
      start, used, refunded, changed = time - rest, owed, 0, true
    end
    if used > 2251799813685248 then
      -- Moves the begin of a very long busy period over what has drained, which names it anew.
      start, used, refunded = time - rest, owed, 0
    end
  end

  local excess = owed + cost - burst
  local fits = cost <= burst and excess <= 0
  if not fits and cost <= burst and excess < units then
    if ticks * units < 9007199254740992 then
      fits = excess * ticks <= rest * units
    else
      fits = at_most(excess, units, rest, ticks)
    end
  end

  if not fits then
    misfits = misfits + 2 ^ (i - 1)
    if shadow == 0 then allowed = false end
  end

  states[i] = value or ''
  if fits and allowed or changed then
    -- The key lives until the bucket has drained. It is given a little more, and the next charges
    -- leave the expiry as it is while it is late enough.
    local charge = fits and cost or 0
    local needed = (owed + charge) * ticks / units - rest
    local drained_at = math.min((time + needed) / 1000, 4e15)
    local charged, quota = pack('<dddd', start, used + charge, refunded, time), ''
    if changed or expires < drained_at then
      expires = math.floor(drained_at + needed / 4000) + 1000
      quota = pack('<dddd', expires, ticks, units, burst)
      expiries[i] = string.format('%.0f', expires)
    end
    if fits then charges[i] = charged .. quota end
    if changed then
      repairs = repairs or {}
      repairs[i] = pack('<dddd', start, used, refunded, time) .. quota
    end
  end
end

local writes = allowed and charges or repairs
if mode < 2 and writes then
  for i = 1, rates do
    local value = writes[i] or repairs and repairs[i]
    if value then
      states[i] = value
      if expiries[i] then
        call('SET', KEYS[i], value, 'PXAT', expiries[i])
      else
        call('SETRANGE', KEYS[i], '0', value)
      end
    end
  end
end
return { allowed and 1 or 0, misfits, now, unpack(states) }

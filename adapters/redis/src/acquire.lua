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
--          (empty for a bucket that nobody has used; may be longer), of a ledger in use, the part of
--          it that is held, the time at which the cost fits (0 if unknown), the time at which nothing
--          is in use any more (0 if unknown) and the time of the entry made.
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
    local drained_at = (time + needed) / 1000
    local charged
    if changed or expires < drained_at then
      if drained_at > 4e15 then drained_at, needed = 4e15, 0 end
      expires = drained_at + needed / 2000
      expires = expires - expires % 1 + 1000
      charged = pack('<dddddddd', start, used + charge, refunded, time, expires, ticks, units, burst)
      expiries[i] = string.format('%.0f', expires)
    else
      charged = pack('<dddd', start, used + charge, refunded, time)
    end
    if fits then charges[i] = charged end
    if changed then
      repairs = repairs or {}
      repairs[i] = pack('<dddddddd', start, used, refunded, time, expires, ticks, units, burst)
    end
  end
end

-- A ledger is a sorted set: entries of identity and amount (the last eight bytes) scored by the time
-- from which their end is counted, and figures as negative scores: held, spent, latest, expires, and
-- of a budget whether expired holds are kept as spent.
local ledgers = #KEYS > rates and {}
for i = rates + 1, #KEYS do
  local ledger, key = {}, KEYS[i]
  local kind, shadow, keep, limit, cost, span, slice, retention =
    parse('<BBBddddd', ARGV[2 + i - rates])
  local figures = call('ZMSCORE', key, 'h', 's', 'l', 'e')
  local held, spent = -(figures[1] or 0), -(figures[2] or 0)
  local latest, expires = -(figures[3] or 0), -(figures[4] or 0)
  local time = now
  if now < latest then
    if latest - now < 1000000 then
      time = latest
    elseif mode < 2 then
      -- The clock was set back: every entry keeps its age.
      local entries = call('ZRANGEBYSCORE', key, 1, '+inf', 'WITHSCORES')
      for j = 1, #entries, 2 do
        local moved = math.max(1, entries[j + 1] - (latest - now))
        local entry = entries[j]
        call('ZREM', key, entry)
        if kind == 0 then entry = pack('<d', moved) .. entry:sub(-8) end
        call('ZADD', key, moved, entry)
      end
      call('ZADD', key, -now, 'l')
    end
  end

  local horizon = kind == 0 and time - span or time
  local ended = call('ZRANGEBYSCORE', key, 1, horizon)
  if #ended > 0 then
    local sum = 0
    for j = 1, #ended do sum = sum + parse('<d', ended[j], #ended[j] - 7) end
    held = held - sum
    if keep == 1 then spent = spent + sum end
    if mode < 2 then
      call('ZREMRANGEBYSCORE', key, 1, horizon)
      call('ZADD', key, -held, 'h', -spent, 's')
    end
  end

  local used = held + spent
  local fits = cost <= limit and used + cost <= limit
  local fits_at = 0
  if not fits then
    misfits = misfits + 2 ^ (i - 1)
    if shadow == 0 then allowed = false end
    -- When enough of the oldest entries have ended.
    local excess, skipped = used + cost - limit, 0
    while cost <= limit and keep == 0 and fits_at == 0 do
      local entries = call('ZRANGEBYSCORE', key, '(' .. string.format('%.0f', horizon), '+inf',
        'WITHSCORES', 'LIMIT', skipped, 64)
      if #entries == 0 then break end
      for j = 1, #entries, 2 do
        excess = excess - parse('<d', entries[j], #entries[j] - 7)
        if excess <= 0 then
          fits_at = entries[j + 1] + time - horizon
          break
        end
      end
      skipped = skipped + 64
    end
  end
  local last = call('ZRANGE', key, -1, -1, 'WITHSCORES')[2]
  local free_at = last and last - horizon > 0 and last + time - horizon or 0
  ledger.fits, ledger.kind, ledger.cost, ledger.used = fits, kind, cost, used
  ledger.held, ledger.spent, ledger.expires, ledger.time = held, spent, expires, time
  ledger.span, ledger.slice, ledger.retention = span, slice, retention
  ledger.keep, ledger.free_at = keep, free_at
  ledgers[i] = ledger
  states[i] = pack('<ddddd', used, held, fits_at, spent == 0 and free_at or 0, 0)
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

if ledgers and allowed and mode < 2 then
  for i = rates + 1, #KEYS do
    local key, ledger = KEYS[i], ledgers[i]
    local time, cost, kind = ledger.time, ledger.cost, ledger.kind
    if ledger.fits then
      local score = time + ledger.span
      local free_at = ledger.free_at
      if kind == 2 and mode == 0 then
        ledger.spent = ledger.spent + cost
      else
        local identity, amount = ARGV[2], cost
        if kind == 0 then
          -- Admissions of one slice are one entry, at the slice's end.
          score = math.ceil(time / ledger.slice) * ledger.slice
          identity = pack('<d', score)
          local entry = cost > 0 and call('ZRANGEBYSCORE', key, score, score)[1]
          if entry then
            amount = amount + parse('<d', entry, #entry - 7)
            call('ZREM', key, entry)
          end
        end
        if cost > 0 or kind > 0 then
          call('ZADD', key, score, identity .. pack('<d', amount))
          ledger.held = ledger.held + cost
          free_at = math.max(free_at, kind == 0 and score + ledger.span or score)
        end
      end
      call('ZADD', key, -ledger.held, 'h', -ledger.spent, 's', -time, 'l')
      if kind == 2 then call('ZADD', key, -ledger.keep, 'k') end
      local ends = kind == 0 and score + ledger.span or score
      if kind == 2 then ends = ledger.retention > 0 and time + math.max(ledger.span, ledger.retention) end
      if ends and ledger.expires * 1000 < ends then
        local expires = math.floor((ends + (ends - time) / 2) / 1000) + 1000
        call('ZADD', key, -expires, 'e')
        call('PEXPIREAT', key, string.format('%.0f', expires))
      end
      states[i] = pack('<ddddd', ledger.used + cost, ledger.held, 0,
        ledger.spent == 0 and free_at or 0, score)
    end
  end
end

return { allowed and 1 or 0, misfits, now, unpack(states) }

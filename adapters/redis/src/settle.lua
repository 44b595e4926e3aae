-- What did a reservation really use? Charges what goes beyond the estimate, gives back what may be.
--
-- KEYS     the reservation's marker, then one per hold: rates, then ledgers. All in one slot.
-- ARGV[1]  binary: final (byte: 0 more will come, 1 all is known), number of rates (byte), how long
--          the marker is kept (ms, double), and for each rate start, used and refunded as the
--          reservation left them, ticks, units, burst, units reserved and units used so far (doubles).
-- ARGV[2]  identity of the reservation; only there, as is ARGV[3..], if there are ledgers.
-- ARGV[3..]  one for each ledger, binary: kind (byte), span, slice, retention, time of the entry,
--          units reserved, units used so far (doubles).
-- Returns  0 if the reservation was settled for good before, else 1; the server's time; and for each
--          hold a binary debt and refund (doubles): what this call charged and gave back.
--
-- Usage is the sum so far, and the marker keeps what is charged, so that a call may be repeated.
-- Numbers, times and values are as in acquire.lua.
local call, pack, parse = redis.call, struct.pack, struct.unpack

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
local final, rates, keep_marker, at = parse('<BBd', request)
local marker = call('GET', KEYS[1])
if marker and parse('B', marker) == 1 then return { 0, now } end

local reply, charges = { 1, now }, {}
local function change(hold, reserved, used)
  local charged = marker and parse('<d', marker, hold * 8 - 6) or reserved
  local debt = math.max(0, used - charged)
  local unused = final == 1 and charged == reserved and math.max(0, charged - used) or 0
  charges[hold] = pack('<d', charged + debt)
  return debt, unused, charged
end

for i = 1, rates do
  local key = KEYS[i + 1]
  local start, used_after, refunded_then, ticks, units, burst, reserved, target
  start, used_after, refunded_then, ticks, units, burst, reserved, target, at =
    parse('<dddddddd', request, at)
  local debt, unused = change(i, reserved, target)
  local refund = 0
  local value = debt + unused > 0 and call('GET', key)
  if value and #value ~= 64 then
    return redis.error_reply('BURSAR the value of ' .. key .. ' is not a rate of this version')
  end
  if debt > 0 or value then
    local time, begin, used, refunded, latest, expires = now, now, 0, 0, now, 0
    if value then
      begin, used, refunded, latest, expires, ticks, units, burst = parse('<dddddddd', value)
    end
    if now < latest then
      if latest - now < 1000000 then
        time = latest
      else
        begin = begin - (latest - now)
      end
    end
    local elapsed = time - begin
    local rest = elapsed % ticks
    local drained_units = (elapsed - rest) / ticks * units
    local owed = used - drained_units
    if owed <= 0 or owed < units and at_most(owed, units, rest, ticks) then
      begin, used, refunded, rest, owed = time, 0, 0, 0, 0
    end
    if unused > 0 and begin == start and used > 0 then
      -- The reservation ends where its charge ended, moved forward by what was given back since.
      -- What lies before now has drained and is not given back again. Rounded down.
      local left = used_after - (refunded - refunded_then) - drained_units
      local whole = math.max(0, math.floor(rest * units / ticks) - 2)
      while not at_most(rest, ticks, whole, units) do whole = whole + 1 end
      refund = math.max(0, math.min(unused, left - whole, used))
    end
    debt = math.max(0, math.min(debt, 4503599627370496 - owed))
    if debt + refund > 0 then
      used, owed, refunded = used + debt - refund, owed + debt - refund, refunded + refund
      if used > 2251799813685248 then
        begin, used, refunded = time - rest, owed, 0
      end
      local needed = math.max(0, owed * ticks / units - rest)
      local drained_at = (time + needed) / 1000
      if drained_at > 4e15 then drained_at, needed = 4e15, 0 end
      local state = pack('<dddd', begin, used, refunded, time)
      if expires < drained_at then
        expires = math.floor(drained_at + needed / 2000) + 1000
        call('SET', key, state .. pack('<dddd', expires, ticks, units, burst),
          'PXAT', string.format('%.0f', expires))
      else
        call('SETRANGE', key, '0', state)
      end
    end
  end
  reply[i + 2] = pack('<dd', debt, refund)
end

for i = rates + 1, #KEYS - 1 do
  local key = KEYS[i + 1]
  local kind, span, slice, retention, entered, reserved, target =
    parse('<Bdddddd', ARGV[2 + i - rates])
  local debt, unused, charged = change(i, reserved, target)
  local figures = call('ZMSCORE', key, 'h', 's', 'l', 'e', 'k')
  local held, spent = -(figures[1] or 0), -(figures[2] or 0)
  local expires, keep = -(figures[4] or 0), -(figures[5] or 0)
  local time = math.max(now, -(figures[3] or 0))
  local refund, ends, changed = 0, 0, debt > 0
  if kind == 0 then
    -- What was not used counts no more when it was admitted; what was used beyond that counts now.
    local score = debt > 0 and math.ceil(time / slice) * slice or entered
    local entry = call('ZRANGEBYSCORE', key, score, score)[1]
    local amount = entry and parse('<d', entry, #entry - 7) or 0
    if score > time - span then refund = math.min(unused, amount) end
    changed = debt + refund > 0
    if changed then
      if entry then call('ZREM', key, entry) end
      local left = amount + debt - refund
      if left > 0 then call('ZADD', key, score, pack('<dd', score, left)) end
      held = held + debt - refund
      ends = score + span
    end
  else
    local entry = ARGV[2] .. pack('<d', charged)
    local expiry = call('ZSCORE', key, entry)
    if kind == 1 then
      changed = expiry
      if expiry and final == 1 then
        call('ZREM', key, entry)
        held, refund = held - charged, charged
      elseif expiry and debt > 0 then
        call('ZREM', key, entry)
        call('ZADD', key, expiry, ARGV[2] .. pack('<d', charged + debt))
        held = held + debt
      end
    elseif final == 1 then
      changed = true
      if expiry then
        call('ZREM', key, entry)
        held, spent = held - charged, spent + charged + debt - unused
        refund = unused
      elseif keep == 1 then
        -- The hold had expired and counts as spent.
        refund = math.min(unused, spent)
        spent = spent + debt - refund
      else
        spent = spent + charged + debt - unused
      end
    elseif debt > 0 then
      if expiry then
        call('ZREM', key, entry)
        call('ZADD', key, expiry, ARGV[2] .. pack('<d', charged + debt))
        held = held + debt
      else
        spent = spent + debt
      end
    end
  end
  if kind == 2 and retention > 0 then ends = time + retention end
  -- What has gone is not made again for nothing: nobody would end it.
  if changed then call('ZADD', key, -held, 'h', -spent, 's', -time, 'l') end
  if changed and expires * 1000 < ends then
    expires = math.floor((ends + (ends - time) / 2) / 1000) + 1000
    call('ZADD', key, -expires, 'e')
    call('PEXPIREAT', key, string.format('%.0f', expires))
  end
  reply[i + 2] = pack('<dd', debt, refund)
end

call('SET', KEYS[1], pack('B', final) .. table.concat(charges), 'PX', string.format('%.0f', keep_marker))
return reply

-- Gives out the first free seat of slot ARGV[1] that ARGV[2] ('O'rdinary or 'S'pecial) may have.
-- Answers P with index, number, ticket and token; or F(ull), R: as full for them, but of the reserved seats some are not
-- taken, A(gain), B(eing rebuilt) with the token, S(tale), X: this is not the server, or not the history of data, that
-- was admitted.

local day = known_head()
if not day then return 'S' end
if is_rebuilding(day) then return 'B' .. token_of(day) end
local first, behind, reserved = seats_of(day, tonumber(ARGV[1]))
if not first then return 'S' end
local from = first
if ARGV[2] == 'O' then from = first + reserved end

local from_at, end_at = seat_at(day, from), seat_at(day, behind)
-- Where nothing is left for them, `from` may lie behind the end.
local seats = from_at < end_at and marks(day, from_at, end_at) or ''
local at = find(seats, FREE, 1, true)
if at then
  at = from_at + at - 1
  local high, low = byte(day, TICKET_AT, TICKET_AT + 1)
  local ticket = char(high, low)
  if low < 255 then
    low = low + 1
  elseif high < 255 then
    high, low = high + 1, TICKET_FROM
  else
    -- Used up: none may be given twice under one token.
    redis.call('DEL', KEYS[1])
    return 'S'
  end
  put(TICKET_AT, char(high, low))
  put(at, ticket)
  local index = (at - seat_at(day, 0)) / 2
  local seat = index - first
  return 'P' .. char(math.floor(index / 256), index % 256, math.floor(seat / 256), seat % 256)
    .. ticket .. token_of(day)
end

if seats ~= string.rep(TAKEN, behind - from) then return 'A' end
local answer = 'F'
if from > first and marks(day, seat_at(day, first), from_at) ~= string.rep(TAKEN, from - first) then answer = 'R' end
-- A server keeps its scripts when it is demoted and promoted again, though it may have lost writes meanwhile; but each
-- promotion gives it a new replication id.
local replication = redis.call('INFO', 'replication')
if find(replication, 'role:master', 1, true) and find(replication, 'master_replid:' .. SERVER, 1, true) then
  return answer
end
return 'X'

-- What every script of the gate begins with, after the lines that scripts.rs puts before this one: the generation
-- (GENERATION), the server (SERVER), and the layout of src/value/mod.rs with offsets from 1.

local byte, char, find, sub = string.byte, string.char, string.find, string.sub

-- The day, if it was rebuilt under this generation.
local function known_day()
  local day = redis.call('GET', KEYS[1])
  if day and sub(day, GENERATION_AT, GENERATION_AT + 7) == GENERATION then return day end
end

local function is_rebuilding(day) return sub(day, PHASE_AT, PHASE_AT) == REBUILDING end

local function token_of(day) return sub(day, TOKEN_AT, TOKEN_AT + 7) end

local function is_ready(day, token)
  return day and not is_rebuilding(day) and token_of(day) == token
end

local function number(bytes, at)
  local high, low = byte(bytes, at, at + 1)
  return high * 256 + low
end

-- Where the seat with this index among those of the day begins.
local function seat_at(day, index) return SLOTS_AT + 4 * number(day, SLOT_COUNT_AT) + 2 * index end

-- The slot's first seat, the seat behind its last, and how many are reserved; nothing for a slot that is not there.
local function seats_of(day, slot)
  if slot >= number(day, SLOT_COUNT_AT) then return end
  local at = SLOTS_AT + 4 * slot
  local first = 0
  if slot > 0 then first = number(day, at - 4) end
  return first, number(day, at), number(day, at + 2)
end

-- The beginning of the day with its slots, if it was rebuilt under this generation: who needs some seats of a large day
-- reads no others.
local HEAD = 1024
local function known_head()
  local head = redis.call('GETRANGE', KEYS[1], 0, HEAD - 1)
  if sub(head, GENERATION_AT, GENERATION_AT + 7) ~= GENERATION then return end
  if is_rebuilding(head) then return head end
  local seats = seat_at(head, 0) - 1
  if seats > HEAD then head = redis.call('GETRANGE', KEYS[1], 0, seats - 1) end
  return head
end

-- What is marked from `from` to before `behind`, of a day whose head is known.
local function marks(head, from, behind)
  if behind - 1 <= #head then return sub(head, from, behind - 1) end
  return redis.call('GETRANGE', KEYS[1], from - 1, behind - 2)
end

-- The index of a seat that is given as slot and number, two bytes each, at `at`; nothing if it is not there.
local function index_of(day, places, at)
  local first, behind = seats_of(day, number(places, at))
  if not first then return end
  local index = first + number(places, at + 2)
  if index < behind then return index end
end

-- Writes two or more bytes in place: replicas and the append-only file get these bytes, not the day.
local function put(at, bytes) redis.call('SETRANGE', KEYS[1], at - 1, bytes) end

